//! What `opa check --strict` would object to and the engine does not: unused and shadowing names, unused rules, calls of
//! functions that the agent's engine lacks. Also what this project demands of a policy: its imports and line length.

use crate::{
	agent::{Agent, Release},
	read, Opts,
};
use regorus::unstable::{Expr, Literal, Module, Query, Ref, Rule, RuleHead};
use regorus::{Engine, Value};
use std::collections::{BTreeMap, BTreeSet};

/// The functions that every agent's engine has (the interface's list, each tried there).
const BUILTINS: &str = "count sum min max sort array.concat array.slice array.reverse object.get object.keys object.union object.subset object.filter \
	object.remove concat contains startswith endswith indexof split replace trim trim_left trim_right trim_prefix trim_suffix trim_space lower upper \
	sprintf substring strings.any_prefix_match strings.replace_n strings.count regex.match regex.replace regex.split regex.is_valid regex.find_n \
	regex.find_all_string_submatch_n bits.and bits.or bits.xor bits.negate bits.lsh bits.rsh to_number json.marshal json.unmarshal json.is_valid \
	base64.encode base64.decode base64.is_valid base64url.encode base64url.decode base64url.encode_no_pad units.parse units.parse_bytes numbers.range \
	type_name is_array is_boolean is_null is_number is_object is_set is_string print";

/// Everything that the agent asks.
const ENTRY_POINTS: &str = "CreateSandboxRequest CreateContainerRequest StartContainerRequest RemoveContainerRequest DestroySandboxRequest \
	SignalProcessRequest WaitProcessRequest StatsContainerRequest ReadStreamRequest WriteStreamRequest CloseStdinRequest TtyWinResizeRequest \
	ExecProcessRequest CopyFileRequest UpdateInterfaceRequest UpdateRoutesRequest AddARPNeighborsRequest GuestDetailsRequest GetOOMEventRequest \
	OnlineCPUMemRequest RemoveStaleVirtiofsShareMountsRequest UpdateContainerRequest UpdateEphemeralMountsRequest PauseContainerRequest \
	ResumeContainerRequest GetMetricsRequest ListInterfacesRequest ListRoutesRequest GetIPTablesRequest SetIPTablesRequest ReseedRandomDevRequest \
	SetGuestDateTimeRequest MemHotplugByProbeRequest AddSwapRequest AddSwapPathRequest VolumeStatsRequest ResizeVolumeRequest SetPolicyRequest \
	GetDiagnosticDataRequest MemAgentMemcgConfig MemAgentCompactConfig StartTracingRequest StopTracingRequest AllowRequestsFailingPolicy";

/// `ctr-rego check POLICY...`
pub fn run(o: &Opts) -> Result<bool, String> {
	let mut good = true;
	o.operand(0)?;
	for file in &o.operands {
		for finding in findings(&read(file)?, &o.engines())? {
			println!("{file}:{finding}");
			good = false;
		}
	}
	Ok(good)
}

/// All findings, each `LINE:COLUMN: text`; an error if an engine does not load the policy at all.
pub fn findings(policy: &str, engines: &[Release]) -> Result<Vec<String>, String> {
	for release in engines {
		release.check(|r| Agent::load(policy, r))?;
	}
	let mut engine = Engine::new();
	engine.add_policy("policy".into(), policy.into()).map_err(|e| e.to_string())?;
	let mut check = Check::default();
	for (n, line) in policy.lines().enumerate().filter(|(_, l)| l.len() > 1000) {
		check.found.insert((
			n as u32 + 1,
			1001,
			format!("line of {} bytes (expected at most 1000)", line.len()),
		));
	}
	for module in engine.get_modules().iter() {
		check.module(module);
	}
	Ok(check.found.into_iter().map(|(line, col, text)| format!("{line}:{col}: {text}")).collect())
}

/// A name that a scope declares.
struct Local {
	name: String,
	at: (u32, u32),
	what: &'static str,
	used: bool,
}

#[derive(Default)]
struct Check {
	/// Rules by name, with the number of arguments of functions.
	rules: BTreeMap<String, usize>,
	referenced: BTreeSet<String>,
	scopes: Vec<Vec<Local>>,
	found: BTreeSet<(u32, u32, String)>,
}

impl Check {
	fn module(&mut self, module: &Module) {
		for import in &module.imports {
			if import.refr.span().text() != "rego.v1" {
				self.find(
					import.span.line,
					import.span.col,
					format!("import {} (expected rego.v1 alone)", import.refr.span().text()),
				);
			}
		}
		for rule in &module.policy {
			let (name, arguments) = head(rule);
			self.rules.insert(name, arguments);
		}
		for rule in &module.policy {
			self.rule(rule);
		}
		for rule in &module.policy {
			let (name, _) = head(rule);
			if !self.referenced.contains(&name)
				&& !ENTRY_POINTS.split_whitespace().any(|e| e == name)
			{
				self.find(rule.span().line, rule.span().col, format!("rule {name} is not used"));
			}
		}
	}

	fn find(&mut self, line: u32, col: u32, text: String) {
		self.found.insert((line, col, text));
	}

	fn rule(&mut self, rule: &Rule) {
		let Rule::Spec { head, bodies, .. } = rule else {
			if let Rule::Default { value, .. } = rule {
				self.expr(value);
			}
			return;
		};
		let (args, assign, key) = match head {
			RuleHead::Compr { assign, .. } => (&[][..], assign.as_ref(), None),
			RuleHead::Func { args, assign, .. } => (&args[..], assign.as_ref(), None),
			RuleHead::Set { key, .. } => (&[][..], None, key.as_ref()),
		};
		self.scopes.push(Vec::new());
		args.iter().for_each(|a| self.declare(a, "argument"));
		let heads = [assign.map(|a| &a.value), key];
		if bodies.is_empty() {
			heads.iter().flatten().for_each(|e| self.expr(e));
		}
		for (n, body) in bodies.iter().enumerate() {
			let value = body.assign.as_ref().map(|a| &a.value);
			let terms: Vec<&Ref<Expr>> = if n == 0 {
				heads.iter().flatten().copied().chain(value).collect()
			} else {
				value.into_iter().collect()
			};
			self.query(&body.query, &terms);
		}
		self.close();
	}

	/// A query is a scope: what it declares may be used by any of its statements and by the terms.
	fn query(&mut self, query: &Query, terms: &[&Ref<Expr>]) {
		self.scopes.push(Vec::new());
		for s in &query.stmts {
			match &s.literal {
				Literal::SomeVars { vars, .. } => {
					vars.iter().for_each(|v| self.local(v.text(), (v.line, v.col), "variable"))
				}
				Literal::SomeIn { key, value, .. } => {
					key.iter().chain([value]).for_each(|e| self.declare(e, "variable"))
				}
				Literal::Expr { expr, .. } => self.assigned(expr),
				_ => (),
			}
		}
		for s in &query.stmts {
			match &s.literal {
				Literal::SomeIn { collection, .. } => self.expr(collection),
				Literal::Expr { expr, .. } | Literal::NotExpr { expr, .. } => self.expr(expr),
				Literal::Every { key, value, domain, query, .. } => {
					self.expr(domain);
					self.scopes.push(Vec::new());
					key.iter()
						.chain([value])
						.for_each(|v| self.local(v.text(), (v.line, v.col), "variable"));
					self.query(query, &[]);
					self.close();
				}
				Literal::SomeVars { .. } => (),
			}
			s.with_mods.iter().for_each(|w| self.expr(&w.r#as));
		}
		terms.iter().for_each(|t| self.expr(t));
		self.close();
	}

	fn assigned(&mut self, expr: &Expr) {
		if let Expr::AssignExpr { op: regorus::unstable::AssignOp::ColEq, lhs, .. } = expr {
			self.declare(lhs, "variable");
		}
	}

	/// All variables of a pattern; an index or a constant in it is an ordinary expression.
	fn declare(&mut self, pattern: &Expr, what: &'static str) {
		match pattern {
			Expr::Var { span, .. } => self.local(span.text(), (span.line, span.col), what),
			Expr::Array { items, .. } | Expr::Set { items, .. } => {
				items.iter().for_each(|i| self.declare(i, what))
			}
			Expr::Object { fields, .. } => {
				fields.iter().for_each(|(_, _, v)| self.declare(v, what))
			}
			_ => (),
		}
	}

	fn local(&mut self, name: &str, at: (u32, u32), what: &'static str) {
		if name == "_" {
			return;
		}
		let builtin = BUILTINS.split_whitespace().any(|b| b.split('.').next() == Some(name));
		let outer = self.scopes.iter().flatten().any(|l| l.name == name);
		if outer || builtin || self.rules.contains_key(name) || name == "input" || name == "data" {
			self.find(at.0, at.1, format!("{what} {name} shadows another name"));
		}
		let scope = self.scopes.last_mut().expect("inside a rule");
		scope.push(Local { name: name.into(), at, what, used: false });
	}

	fn close(&mut self) {
		for l in self.scopes.pop().into_iter().flatten().filter(|l| !l.used) {
			self.find(l.at.0, l.at.1, format!("{} {} is not used", l.what, l.name));
		}
	}

	fn var(&mut self, name: &str, at: (u32, u32)) {
		if let Some(l) = self.scopes.iter_mut().rev().flatten().find(|l| l.name == name) {
			l.used = true;
		} else if self.rules.contains_key(name) {
			self.referenced.insert(name.into());
		} else if !["_", "input", "data"].contains(&name) {
			self.find(at.0, at.1, format!("{name} is not declared"));
		}
	}

	fn call(&mut self, fcn: &Expr, params: &[Ref<Expr>]) {
		let (name, span) = (fcn.span().text(), fcn.span());
		let own = name.strip_prefix("data.agent_policy.").unwrap_or(name);
		match self.rules.get(own).copied() {
			Some(n) if n == params.len() => drop(self.referenced.insert(own.into())),
			Some(n) => self.find(
				span.line,
				span.col,
				format!("{own} takes {n} arguments, not {}", params.len()),
			),
			None if BUILTINS.split_whitespace().any(|b| b == name) => (),
			None => self.find(span.line, span.col, format!("no function {name} in the agent")),
		}
	}

	fn expr(&mut self, expr: &Expr) {
		match expr {
			Expr::Var { span, value: Value::String(name), .. } => {
				self.var(name, (span.line, span.col))
			}
			Expr::Array { items, .. } | Expr::Set { items, .. } => {
				items.iter().for_each(|i| self.expr(i))
			}
			Expr::Object { fields, .. } => {
				fields.iter().for_each(|(_, k, v)| [k, v].iter().for_each(|e| self.expr(e)))
			}
			Expr::ArrayCompr { term, query, .. } | Expr::SetCompr { term, query, .. } => {
				self.query(query, &[term])
			}
			Expr::ObjectCompr { key, value, query, .. } => self.query(query, &[key, value]),
			Expr::Call { fcn, params, .. } => {
				self.call(fcn, params);
				params.iter().for_each(|p| self.expr(p));
			}
			Expr::UnaryExpr { expr, .. } => self.expr(expr),
			Expr::RefDot { refr, .. } => self.expr(refr),
			Expr::RefBrack { refr, index, .. } => [refr, index].iter().for_each(|e| self.expr(e)),
			Expr::BinExpr { lhs, rhs, .. }
			| Expr::BoolExpr { lhs, rhs, .. }
			| Expr::ArithExpr { lhs, rhs, .. } => [lhs, rhs].iter().for_each(|e| self.expr(e)),
			Expr::AssignExpr { op, lhs, rhs, .. } => {
				if *op == regorus::unstable::AssignOp::Eq {
					self.expr(lhs);
				}
				self.expr(rhs);
			}
			Expr::Membership { key, value, collection, .. } => {
				key.iter().chain([value, collection]).for_each(|e| self.expr(e))
			}
			_ => (),
		}
	}
}

/// Name and number of arguments of a rule.
fn head(rule: &Rule) -> (String, usize) {
	let (refr, args) = match rule {
		Rule::Spec { head: RuleHead::Compr { refr, .. } | RuleHead::Set { refr, .. }, .. } => {
			(refr, 0)
		}
		Rule::Spec { head: RuleHead::Func { refr, args, .. }, .. } => (refr, args.len()),
		Rule::Default { refr, args, .. } => (refr, args.len()),
	};
	let name = refr.span().text();
	(name[..name.find(['.', '[', '(']).unwrap_or(name.len())].to_string(), args)
}

#[cfg(test)]
mod tests {
	use super::*;

	fn check(rules: &str) -> Vec<String> {
		findings(&format!("package agent_policy\nimport rego.v1\ndefault AllowRequestsFailingPolicy := false\n{rules}"), &Release::ALL).unwrap()
	}

	#[test]
	fn clean() {
		let found = check("CreateSandboxRequest if {\n\tsome i, x in input.list\n\tf(x, i)\n\tevery k, v in x {\n\t\tk == v\n\t}\n\ty := [z | z := data.pstate[_]]\n\tcount(y) == 1\n}\n\
			f(a, b) if a == b\nf(a, _) := 2 if {\n\ta == 2\n} else := b3 if {\n\tb3 := a\n}\nStopTracingRequest := {\"allowed\": true, \"ops\": o} if o := s\ns contains u if some u in input.x\n");
		assert_eq!(found, Vec::<String>::new());
	}

	#[test]
	fn each_finding() {
		for (rules, text) in [
			("StopTracingRequest if x := 1", "variable x is not used"),
			("StopTracingRequest if some x in input", "variable x is not used"),
			("StopTracingRequest if f(1)\nf(x) if true", "argument x is not used"),
			("f(x) if x", "rule f is not used"),
			("StopTracingRequest if every x in [1] {\n\ttrue\n}", "variable x is not used"),
			("StopTracingRequest if {\n\tcount := 1\n\tcount == 1\n}", "variable count shadows"),
			(
				"StopTracingRequest if {\n\tStopTracingRequest := 1\n\tStopTracingRequest == 1\n}",
				"shadows",
			),
			(
				"StopTracingRequest if {\n\ty := 1\n\tz := [y | y := 2]\n\tz == y\n}",
				"variable y shadows",
			),
			("StopTracingRequest if time.now_ns() > 1", "no function time.now_ns"),
			("StopTracingRequest if walk(input)", "no function walk"),
			("StopTracingRequest if f(1, 2)\nf(x) if x", "f takes 1 arguments"),
			(&format!("StopTracingRequest := [\"{}\"]", "a".repeat(990)), "line of"),
		] {
			let found = check(&format!("{rules}\n"));
			assert!(found.iter().any(|f| f.contains(text)), "{rules}: {found:?}");
		}
	}
}
