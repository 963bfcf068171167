//! A writer that appends JSON to a text.

use alloc::string::String;

/// JSON under construction. Commas are put where they belong.
#[derive(Default)]
pub struct Writer {
    out: String,
}

impl Writer {
    /// The text so far.
    pub fn finish(self) -> String {
        self.out
    }

    fn separate(&mut self) {
        if !matches!(self.out.as_bytes().last(), None | Some(b'{' | b'[' | b':')) {
            self.out.push(',');
        }
    }

    /// Begins an object (`{`) or array (`[`).
    pub fn open(&mut self, bracket: char) {
        self.separate();
        self.out.push(bracket);
    }

    /// Ends what [`Writer::open`] began.
    pub fn close(&mut self, bracket: char) {
        self.out.push(bracket);
    }

    /// The name of the next member.
    pub fn name(&mut self, name: &str) {
        self.string(name);
        self.out.push(':');
    }

    /// A member whose value is a string.
    pub fn member(&mut self, name: &str, value: &str) {
        self.name(name);
        self.string(value);
    }

    /// JSON that is already text.
    pub fn raw(&mut self, json: &str) {
        self.separate();
        self.out.push_str(json);
    }

    /// An integer.
    pub fn integer(&mut self, number: i64) {
        self.separate();
        push_integer(&mut self.out, number);
    }

    /// A string.
    pub fn string(&mut self, text: &str) {
        const HEX: &[u8; 16] = b"0123456789abcdef";
        self.separate();
        self.out.push('"');
        let mut rest = text;
        // All that is escaped is ASCII, so the text can be cut there.
        let escaped = |byte: u8| matches!(byte, b'"' | b'\\' | 0..=0x1f);
        while let Some(at) = rest.bytes().position(escaped)
            && let Some(byte) = rest.as_bytes().get(at)
        {
            self.out.push_str(rest.get(..at).unwrap_or_default());
            if *byte < b' ' {
                self.out.push_str("\\u00");
                for nibble in [byte >> 4, byte & 15] {
                    self.out.push(char::from(HEX[usize::from(nibble)]));
                }
            } else {
                self.out.push('\\');
                self.out.push(char::from(*byte));
            }
            rest = rest.get(at + 1..).unwrap_or_default();
        }
        self.out.push_str(rest);
        self.out.push('"');
    }
}

/// Appends a number in decimal. `core::fmt` would cost more than the whole function.
pub(crate) fn push_integer(out: &mut String, number: i64) {
    let mut digits = [0u8; 20];
    let mut rest = number.unsigned_abs();
    let mut count = 0;
    for digit in digits.iter_mut().rev() {
        *digit = b'0' + (rest % 10) as u8;
        rest /= 10;
        count += 1;
        if rest == 0 {
            break;
        }
    }
    if number < 0 {
        out.push('-');
    }
    for digit in digits.iter().skip(20 - count) {
        out.push(char::from(*digit));
    }
}
