//! A target's corpus without a fuzzer: each input, and others near it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    missing_docs,
    unreachable_pub,
    reason = "a panic is what is looked for"
)]

use std::{fs, path::Path};

/// Gives a target every input of its corpus, and as many others as said: those with bytes changed,
/// cut out, doubled or brought from another input. They are the same in every run; `cargo xtask fuzz`
/// looks for other ones, guided by coverage.
pub fn replay(corpora: &str, target: &str, others: usize, run: fn(&[u8])) {
    let mut paths: Vec<_> = fs::read_dir(Path::new(corpora).join(target))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    // Directories have no order of their own.
    paths.sort();
    let corpus: Vec<_> = paths.iter().map(|path| fs::read(path).unwrap()).collect();
    assert!(!corpus.is_empty(), "{target} has no corpus");
    for input in &corpus {
        let told = ToldIfBroken(input);
        run(told.0);
    }
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    for _ in 0..others {
        let input = neighbour(&corpus, &mut random);
        let told = ToldIfBroken(&input);
        run(told.0);
    }
}

/// Says which input it was.
struct ToldIfBroken<'a>(&'a [u8]);

impl Drop for ToldIfBroken<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            println!("broken by: {}", self.0.escape_ascii());
        }
    }
}

/// An input of the corpus with a few changes.
fn neighbour(corpus: &[Vec<u8>], random: &mut Random) -> Vec<u8> {
    let mut input = corpus[random.below(corpus.len())].clone();
    for _ in 0..=random.below(4) {
        let (from, to) = random.range(input.len());
        match random.below(6) {
            0 => {
                if let Some(byte) = input.get_mut(from) {
                    *byte ^= 1 << random.below(8);
                }
            }
            // What means something in addresses, JSON, tokens and streams.
            1 => input.insert(from, ODD[random.below(ODD.len())]),
            2 => drop(input.drain(from..to)),
            3 => {
                let twice = input[from..to].to_vec();
                input.splice(to..to, twice);
            }
            4 => input.truncate(to),
            _ => {
                let other = &corpus[random.below(corpus.len())];
                let (start, end) = random.range(other.len());
                let part = other[start..end].to_vec();
                input.splice(from..to, part);
            }
        }
        // As the fuzzer's own limit.
        input.truncate(20_000);
    }
    input
}

const ODD: &[u8] = b"\0\n\r\t\x1b\x7f\x80\xff\xed\xef \"\\{}[]:,.-+eE09%&=#?/;<>ud_";

/// xorshift64: small, and the same everywhere.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() >> 33).unwrap() % limit.max(1)
    }

    /// Two places within so many bytes, in their order.
    fn range(&mut self, length: usize) -> (usize, usize) {
        let (a, b) = (self.below(length + 1), self.below(length + 1));
        (a.min(b), a.max(b))
    }
}
