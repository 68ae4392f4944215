//! Just enough of tar and gzip for image layers with a handful of small files.

use flate2::{read::GzDecoder, write::GzEncoder, Compression};
use std::io::{Read, Write};

const BLOCK: usize = 512;

/// A gzip-compressed tar of regular files; same input, same bytes.
pub fn pack(files: &[(&str, &str)]) -> (Vec<u8>, Vec<u8>) {
	let mut tar = Vec::new();
	for (name, content) in files {
		tar.extend(header(name, content.len()));
		tar.extend(content.as_bytes());
		tar.resize(tar.len().next_multiple_of(BLOCK), 0);
	}
	tar.resize(tar.len() + 2 * BLOCK, 0);
	let mut gz = GzEncoder::new(Vec::new(), Compression::fast());
	gz.write_all(&tar).expect("memory");
	(gz.finish().expect("memory"), tar)
}

fn header(name: &str, size: usize) -> [u8; BLOCK] {
	let mut h = [0; BLOCK];
	let mut put = |at: usize, text: &str| h[at..at + text.len()].copy_from_slice(text.as_bytes());
	put(0, name);
	put(100, "0000644");
	put(108, "0000000");
	put(116, "0000000");
	put(124, &format!("{size:011o}"));
	put(136, "00000000000");
	put(148, "        0");
	put(257, "ustar\x0000");
	let sum: u32 = h.iter().map(|b| u32::from(*b)).sum();
	h[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
	h
}

/// Names and contents of the regular files of a layer.
pub fn unpack(gz: &[u8]) -> Result<Vec<(String, String)>, String> {
	let mut tar = Vec::new();
	GzDecoder::new(gz).read_to_end(&mut tar).map_err(|e| e.to_string())?;
	let text = |b: &[u8]| String::from_utf8_lossy(b).trim_end_matches('\0').to_string();
	let (mut files, mut at) = (Vec::new(), 0);
	while let Some(h) = tar.get(at..at + BLOCK).filter(|h| h[0] != 0) {
		let size =
			usize::from_str_radix(text(&h[124..136]).trim(), 8).map_err(|e| e.to_string())?;
		let content = tar.get(at + BLOCK..at + BLOCK + size).ok_or("layer is cut")?;
		if matches!(h[156], b'0' | 0) {
			files.push((text(&h[..100]), String::from_utf8_lossy(content).into_owned()));
		}
		at += BLOCK + size.next_multiple_of(BLOCK);
	}
	Ok(files)
}
