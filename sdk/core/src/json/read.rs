//! A strict reader of I-JSON (RFC 7493): one meaning, natively and in wasm.
//!
//! Refused: duplicate member names, lone surrogates, a byte order mark, bad UTF-8, trailing bytes,
//! control characters in strings, and documents of more than a mebibyte, that nest deeper than 32
//! levels, or whose objects have more than 1,000 members. (Bodies are limited more where they come
//! in.) Numbers are integers exact to 2^53; all others are kept as "out of range", because no
//! claim that this crate reads is anything else, and floats would cost kilobytes of wasm.

use crate::address::hex;
use alloc::{string::String, vec::Vec};

/// The longest document, in bytes: 1 MiB.
const LONGEST: usize = 1 << 20;

/// How deep arrays and objects may nest.
const DEPTH: usize = 32;

/// How many members an object may have: names are compared one by one, which must stay cheap.
const MEMBERS: usize = 1000;

/// The largest integer that every JSON implementation reads alike: 2^53 - 1.
const EXACT: i64 = 9_007_199_254_740_991;

/// A JSON value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// An integer within ±(2^53 - 1).
    Integer(i64),
    /// A number with a fraction and no exponent, cut to its integer part (`NumericDate` may have
    /// one, RFC 7519, 2).
    Fraction(i64),
    /// Any other number.
    OutOfRange,
    /// A string.
    String(String),
    /// An array.
    Array(Vec<Value>),
    /// An object: names are unique, order is kept.
    Object(Vec<(String, Value)>),
}

/// Where a document stops being I-JSON: the offset in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed(pub usize);

impl Value {
    /// The member `name` of an object; `None` if absent, or if this is no object.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Self> {
        match self {
            Self::Object(members) => members.iter().find(|(key, _)| key == name).map(|(_, v)| v),
            _ => None,
        }
    }

    /// The text, if this is a string.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    /// The number, if this is an exact integer.
    #[must_use]
    pub const fn as_integer(&self) -> Option<i64> {
        match self {
            Self::Integer(number) => Some(*number),
            _ => None,
        }
    }

    /// The items, if this is an array.
    #[must_use]
    pub fn as_array(&self) -> Option<&[Self]> {
        match self {
            Self::Array(items) => Some(items),
            _ => None,
        }
    }

    /// The string member `name`.
    #[must_use]
    pub fn str(&self, name: &str) -> Option<&str> {
        self.get(name)?.as_str()
    }
}

/// Reads one document.
///
/// # Errors
/// [`Malformed`], with the offset, for everything that is not I-JSON.
pub fn read(bytes: &[u8]) -> Result<Value, Malformed> {
    if bytes.len() > LONGEST { Err(Malformed(LONGEST)) } else { read_long(bytes) }
}

/// Reads one document of any size: for facts, which must be read to be answered, and whose texts
/// have their limits where they are read.
pub(crate) fn read_long(bytes: &[u8]) -> Result<Value, Malformed> {
    // UTF-8 is checked once, here; below, bytes are copied as they are.
    let text = core::str::from_utf8(bytes).map_err(|e| Malformed(e.valid_up_to()))?;
    let mut reader = Reader { text, at: 0 };
    match reader.document() {
        Some(value) => Ok(value),
        None => Err(Malformed(reader.at)),
    }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl Reader<'_> {
    fn document(&mut self) -> Option<Value> {
        let value = self.value(0)?;
        self.space();
        if self.at == self.text.len() { Some(value) } else { None }
    }

    fn peek(&self) -> u8 {
        // NUL stands for the end: it is allowed nowhere in JSON.
        self.text.as_bytes().get(self.at).copied().unwrap_or(0)
    }

    fn next(&mut self) -> u8 {
        let byte = self.peek();
        self.at += 1;
        byte
    }

    fn space(&mut self) {
        while matches!(self.peek(), b' ' | b'\t' | b'\n' | b'\r') {
            self.at += 1;
        }
    }

    fn take(&mut self, byte: u8) -> bool {
        self.space();
        let hit = self.peek() == byte;
        if hit {
            self.at += 1;
        }
        hit
    }

    fn word(&mut self, word: &str, value: Value) -> Option<Value> {
        let rest = self.text.as_bytes().get(self.at..)?;
        if rest.starts_with(word.as_bytes()) {
            self.at += word.len();
            Some(value)
        } else {
            None
        }
    }

    fn value(&mut self, depth: usize) -> Option<Value> {
        if depth > DEPTH {
            return None;
        }
        self.space();
        match self.peek() {
            b'"' => self.string().map(Value::String),
            b'{' => self.object(depth),
            b'[' => self.array(depth),
            b't' => self.word("true", Value::Bool(true)),
            b'f' => self.word("false", Value::Bool(false)),
            b'n' => self.word("null", Value::Null),
            _ => self.number(),
        }
    }

    fn object(&mut self, depth: usize) -> Option<Value> {
        self.at += 1;
        let mut members: Vec<(String, Value)> = Vec::new();
        if self.take(b'}') {
            return Some(Value::Object(members));
        }
        loop {
            self.space();
            let start = self.at;
            let name = self.string()?;
            if members.len() == MEMBERS || members.iter().any(|(known, _)| *known == name) {
                // RFC 7493, 2.3: two readers would differ on which one counts.
                self.at = start;
                return None;
            }
            if !self.take(b':') {
                return None;
            }
            let value = self.value(depth + 1)?;
            members.push((name, value));
            if self.take(b'}') {
                return Some(Value::Object(members));
            }
            if !self.take(b',') {
                return None;
            }
        }
    }

    fn array(&mut self, depth: usize) -> Option<Value> {
        self.at += 1;
        let mut items = Vec::new();
        if self.take(b']') {
            return Some(Value::Array(items));
        }
        loop {
            items.push(self.value(depth + 1)?);
            if self.take(b']') {
                return Some(Value::Array(items));
            }
            if !self.take(b',') {
                return None;
            }
        }
    }

    fn string(&mut self) -> Option<String> {
        if self.peek() != b'"' {
            return None;
        }
        self.at += 1;
        let mut out = String::new();
        loop {
            let start = self.at;
            while !matches!(self.peek(), b'"' | b'\\' | 0..=0x1f) {
                self.at += 1;
            }
            out.push_str(self.text.get(start..self.at)?);
            match self.next() {
                b'"' => return Some(out),
                b'\\' => out.push(self.escape()?),
                _ => {
                    self.at -= 1;
                    return None;
                }
            }
        }
    }

    fn escape(&mut self) -> Option<char> {
        Some(match self.next() {
            b'"' => '"',
            b'\\' => '\\',
            b'/' => '/',
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                let mut code = self.hex4()?;
                if (0xd800..0xdc00).contains(&code) {
                    // A high surrogate must be followed by a low one; a lone one is no character.
                    if self.next() != b'\\' || self.next() != b'u' {
                        return None;
                    }
                    let low = self.hex4()?;
                    if !(0xdc00..0xe000).contains(&low) {
                        return None;
                    }
                    code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
                }
                char::from_u32(code)?
            }
            _ => return None,
        })
    }

    fn hex4(&mut self) -> Option<u32> {
        let mut code = 0;
        for _ in 0..4 {
            code = code * 16 + u32::from(hex(self.next())?);
        }
        Some(code)
    }

    /// Skips digits; their value, or more than 2^53 if they stand for more.
    fn digits(&mut self) -> Option<i64> {
        if !self.peek().is_ascii_digit() {
            return None;
        }
        let mut number: i64 = 0;
        while self.peek().is_ascii_digit() {
            let digit = i64::from(self.next() - b'0');
            // Once it is too large it stays so.
            if number <= EXACT {
                number = number * 10 + digit;
            }
        }
        Some(number)
    }

    fn number(&mut self) -> Option<Value> {
        let negative = self.peek() == b'-';
        if negative {
            self.at += 1;
        }
        let start = self.at;
        let leading_zero = self.peek() == b'0';
        let number = self.digits()?;
        if leading_zero && self.at - start > 1 {
            return None;
        }
        let fraction = self.peek() == b'.';
        if fraction {
            self.at += 1;
            self.digits()?;
        }
        let exponent = matches!(self.peek(), b'e' | b'E');
        if exponent {
            self.at += 1;
            if matches!(self.peek(), b'+' | b'-') {
                self.at += 1;
            }
            self.digits()?;
        }
        if exponent || number > EXACT {
            return Some(Value::OutOfRange);
        }
        let number = if negative { -number } else { number };
        Some(if fraction { Value::Fraction(number) } else { Value::Integer(number) })
    }
}
