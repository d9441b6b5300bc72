//! Numbers, compared by decimal value.

use std::cmp::Ordering;
use std::fmt;

/// A JSON number as it was written. `1`, `1.0` and `1e0` are equal; precision and size are without limit.
#[derive(Clone, Debug)]
pub struct Number {
    raw: String,
}

impl Number {
    /// The number, where the text is one by JSON's grammar. An exponent of more than 15 digits is refused.
    #[must_use]
    pub fn new(raw: &str) -> Option<Number> {
        let end = scan(raw.as_bytes())?;
        (end == raw.len() && decimal(raw).is_some()).then(|| Number { raw: raw.to_owned() })
    }

    /// As written.
    #[must_use]
    pub fn raw(&self) -> &str {
        &self.raw
    }

    /// Whether it has no fraction, whatever way it is written.
    #[must_use]
    pub fn is_integer(&self) -> bool {
        self.decimal().exponent >= 0
    }

    fn decimal(&self) -> Decimal {
        decimal(&self.raw).unwrap_or_default()
    }
}

impl From<i64> for Number {
    fn from(n: i64) -> Number {
        Number { raw: n.to_string() }
    }
}

impl PartialEq for Number {
    fn eq(&self, other: &Number) -> bool {
        self.raw == other.raw || self.decimal() == other.decimal()
    }
}

impl Eq for Number {}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Number) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Number {
    fn cmp(&self, other: &Number) -> Ordering {
        self.decimal().cmp(&other.decimal())
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.raw)
    }
}

/// Where the number that begins the bytes ends; none where they begin with none.
pub(super) fn scan(bytes: &[u8]) -> Option<usize> {
    let digits = |from: usize| from + bytes[from..].iter().take_while(|it| it.is_ascii_digit()).count();
    let start = usize::from(bytes.first() == Some(&b'-'));
    let mut end = digits(start);
    if end == start || (bytes[start] == b'0' && end > start + 1) {
        return None;
    }
    if bytes.get(end) == Some(&b'.') {
        let fraction = digits(end + 1);
        if fraction == end + 1 {
            return None;
        }
        end = fraction;
    }
    if matches!(bytes.get(end), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(bytes.get(end + 1), Some(b'+' | b'-')));
        let exponent = digits(end + 1 + sign);
        if exponent == end + 1 + sign {
            return None;
        }
        end = exponent;
    }
    Some(end)
}

/// `digits × 10^exponent` without zeros at either end of the digits: equal values have equal fields, and nothing is ever
/// expanded, so `1e999999999` costs as little as `1`.
#[derive(Debug, Default, PartialEq, Eq)]
struct Decimal {
    negative: bool,
    digits: Vec<u8>,
    exponent: i64,
}

impl Decimal {
    /// The position of the first digit: the larger, the larger the value.
    fn magnitude(&self) -> i64 {
        self.exponent + self.digits.len() as i64
    }

    fn cmp_size(&self, other: &Decimal) -> Ordering {
        match (self.digits.is_empty(), other.digits.is_empty()) {
            (true, true) => Ordering::Equal,
            (true, false) => Ordering::Less,
            (false, true) => Ordering::Greater,
            (false, false) => self
                .magnitude()
                .cmp(&other.magnitude())
                .then_with(|| self.digits.cmp(&other.digits)),
        }
    }

    fn cmp(&self, other: &Decimal) -> Ordering {
        match (self.negative, other.negative) {
            (false, true) => Ordering::Greater,
            (true, false) => Ordering::Less,
            (false, false) => self.cmp_size(other),
            (true, true) => other.cmp_size(self),
        }
    }
}

fn decimal(raw: &str) -> Option<Decimal> {
    let (negative, unsigned) = match raw.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, raw),
    };
    let (mantissa, exponent) = unsigned.split_once(['e', 'E']).unwrap_or((unsigned, "0"));
    if exponent.len() > 16 {
        return None;
    }
    let mut exponent: i64 = exponent.parse().ok()?;
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    exponent -= fraction.len() as i64;
    let mut digits: Vec<u8> = whole
        .bytes()
        .chain(fraction.bytes())
        .skip_while(|it| *it == b'0')
        .collect();
    while digits.last() == Some(&b'0') {
        digits.pop();
        exponent += 1;
    }
    if digits.is_empty() {
        return Some(Decimal::default());
    }
    Some(Decimal {
        negative,
        digits,
        exponent,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("1", "1.0")]
    #[case("1", "1e0")]
    #[case("-0", "0")]
    #[case("0.0", "0e17")]
    #[case("1200", "1.2E+3")]
    #[case("0.00120", "12e-4")]
    #[case("1e999999999", "10e999999998")]
    #[case("123456789012345678901234567890", "1.23456789012345678901234567890e29")]
    fn one_value_written_twice(#[case] a: &str, #[case] b: &str) {
        assert_eq!(Number::new(a).unwrap(), Number::new(b).unwrap());
    }

    #[rstest]
    #[case("1", "2")]
    #[case("-1", "1")]
    #[case("-2", "-1")]
    #[case("0", "0.001")]
    #[case("9", "10")]
    #[case("0.1", "0.10000000000000000000000001")]
    #[case("9007199254740992", "9007199254740993")]
    #[case("-1e999999999", "1e-999999999")]
    fn the_first_is_less(#[case] a: &str, #[case] b: &str) {
        assert!(Number::new(a).unwrap() < Number::new(b).unwrap());
    }

    #[rstest]
    fn no_numbers(
        #[values("", "-", "01", "1.", ".5", "1e", "+1", "0x1", "1 ", "NaN", "1e99999999999999999")] raw: &str,
    ) {
        assert!(Number::new(raw).is_none(), "{raw}");
    }

    #[test]
    fn integers_by_value() {
        for (raw, integer) in [
            ("1", true),
            ("1.0", true),
            ("1e3", true),
            ("1.5", false),
            ("15e-1", false),
            ("0.0", true),
        ] {
            assert_eq!(Number::new(raw).unwrap().is_integer(), integer, "{raw}");
        }
    }
}
