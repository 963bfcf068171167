//! Base64url without padding (RFC 7515, 2), strict: no padding, no other alphabet, no stray bits.
//!
//! Written out, because a general codec weighs four times as much in wasm (docs/adr/0005).

use alloc::{string::String, vec::Vec};

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// The text of `bytes`.
#[must_use]
pub fn encode(bytes: &[u8]) -> String {
    let mut out = String::new();
    // The last `held` bits have not been written yet; what is above them has.
    let (mut bits, mut held) = (0u32, 0);
    for byte in bytes {
        bits = bits << 8 | u32::from(*byte);
        held += 8;
        while held >= 6 {
            held -= 6;
            out.push(digit(bits >> held));
        }
    }
    if held > 0 {
        out.push(digit(bits << (6 - held)));
    }
    out
}

/// The digit of the six lowest bits.
fn digit(bits: u32) -> char {
    char::from(ALPHABET[(bits & 63) as usize])
}

/// The bytes of `text`, or `None` if it is not exactly what [`encode`] would have made.
#[must_use]
pub fn decode(text: &str) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    let (mut bits, mut held) = (0u32, 0);
    for byte in text.bytes() {
        let digit = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'-' => 62,
            b'_' => 63,
            _ => return None,
        };
        bits = bits << 6 | u32::from(digit);
        held += 6;
        if held >= 8 {
            held -= 8;
            out.push((bits >> held) as u8);
        }
    }
    // What is left is less than a digit, and nothing but zeros.
    let stray = bits & ((1 << held) - 1);
    if held < 6 && stray == 0 { Some(out) } else { None }
}

#[cfg(test)]
mod tests {
    use super::{decode, encode};
    use base64ct::{Base64UrlUnpadded, Encoding};
    use std::{string::String, vec::Vec};

    #[test]
    fn encodes_as_the_reference_does() {
        for length in 0..=260 {
            let bytes: Vec<u8> = (0..length).map(|at: usize| (at * 89 + length) as u8).collect();
            let text = Base64UrlUnpadded::encode_string(&bytes);
            assert_eq!(encode(&bytes), text);
            assert_eq!(decode(&text), Some(bytes));
        }
    }

    #[test]
    fn takes_and_refuses_what_the_reference_does() {
        let bytes: Vec<u8> = (0x20..0x80).collect();
        let mut texts: Vec<String> = Vec::new();
        for a in &bytes {
            texts.push(char::from(*a).into());
            for b in &bytes {
                let pair: String = [char::from(*a), char::from(*b)].iter().collect();
                texts.extend([["AB", &pair].concat(), [&pair, "C"].concat(), pair]);
            }
        }
        texts.extend(["AAAAA", "AAAA=", "AA\u{e4}A", "AA\0A"].map(String::from));
        for text in texts {
            assert_eq!(decode(&text), Base64UrlUnpadded::decode_vec(&text).ok(), "{text:?}");
        }
    }
}
