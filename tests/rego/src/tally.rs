//! Counts what passed and prints what did not.

#[derive(Default)]
pub struct Tally {
	passed: usize,
	failed: usize,
}

impl Tally {
	pub fn check(&mut self, name: &str, result: Result<(), String>) {
		match result {
			Ok(()) => self.passed += 1,
			Err(e) => {
				self.failed += 1;
				println!("not ok: {name}: {e}");
			}
		}
	}

	/// Counts what was checked elsewhere; only failures are to have been printed.
	pub fn add(&mut self, passed: usize, failed: usize) {
		self.passed += passed;
		self.failed += failed;
	}

	/// Prints the closing line; true if anything was tested and nothing failed.
	pub fn close(self) -> bool {
		println!("{} passed, {} failed", self.passed, self.failed);
		self.failed == 0 && self.passed > 0
	}
}
