//! What little has to be known of a number's value. The standard library's parser would do, but its tables would add 15 KB
//! to what a page downloads.

use alloc::vec::Vec;

/// A number as `0.digits × 10^exponent`, without zeros at either end of the digits.
pub(crate) struct Decimal {
    pub(crate) negative: bool,
    pub(crate) digits: Vec<u8>,
    pub(crate) exponent: i64,
}

/// 2^-1075: half the least double, in its first digits. What is no more rounds to zero.
const ROUNDS_TO_ZERO: (i64, &[u8]) = (-323, b"24703282292062327208828439643411068618252990130716");
/// 2^1024 - 2^970, in its first digits. What is no less rounds to infinity.
const ROUNDS_TO_INFINITY: (i64, &[u8]) =
    (309, b"17976931348623158079372897140530341507993413271003");

impl Decimal {
    /// Of the text of a JSON number.
    pub(crate) fn of(number: &[u8]) -> Self {
        let (negative, number) = match number {
            [b'-', rest @ ..] => (true, rest),
            _ => (false, number),
        };
        let end = number.iter().position(|byte| matches!(byte, b'e' | b'E'));
        let (mantissa, power) = number.split_at(end.unwrap_or(number.len()));
        let point = mantissa.iter().position(|&byte| byte == b'.');
        let mut exponent = point.unwrap_or(mantissa.len()) as i64 + power_of(power);
        let mut digits = Vec::new();
        for &byte in mantissa.iter().filter(|&&byte| byte != b'.') {
            if byte == b'0' && digits.is_empty() {
                exponent -= 1;
            } else {
                digits.push(byte);
            }
        }
        while digits.last() == Some(&b'0') {
            digits.pop();
        }
        Self {
            negative,
            digits,
            exponent,
        }
    }

    /// Whether JavaScript reads it as zero.
    pub(crate) fn is_zero(&self) -> bool {
        self.digits.is_empty() || (self.exponent, &*self.digits) <= ROUNDS_TO_ZERO
    }

    /// Whether JavaScript reads it as an infinity.
    pub(crate) fn is_infinite(&self) -> bool {
        !self.digits.is_empty() && (self.exponent, &*self.digits) >= ROUNDS_TO_INFINITY
    }
}

/// Of `e-12` or nothing.
fn power_of(text: &[u8]) -> i64 {
    let mut power = 0i64;
    for byte in text.iter().filter(|byte| byte.is_ascii_digit()) {
        power = (power * 10 + i64::from(byte - b'0')).min(1 << 40);
    }
    if text.get(1) == Some(&b'-') {
        -power
    } else {
        power
    }
}

#[cfg(test)]
mod tests {
    use super::Decimal;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn zeros_and_infinities_are_those_of_doubles() {
        for number in [
            "0",
            "-0",
            "0.000",
            "0e999",
            "1e-400",
            "-1e-324",
            "2.4e-324",
            "2.5e-324",
            "5e-324",
            "1",
            "10",
            "-0.5e3",
            "1e308",
            "1.7976931348623157e308",
            "1.7976931348623158e308",
            "1.7976931348623159e308",
            "1e309",
            "-1e999",
            "1e99999999999999999999",
            "0.000001e315",
            "123456789012345678901234567890e280",
            "123456789012345678901234567890e278",
            "1e-99999999999999999999",
        ] {
            let double: f64 = number.parse().unwrap();
            let decimal = Decimal::of(number.as_bytes());
            assert_eq!(decimal.is_zero(), double == 0.0, "{number}");
            assert_eq!(decimal.is_infinite(), double.is_infinite(), "{number}");
            assert_eq!(decimal.negative, double.is_sign_negative(), "{number}");
        }
    }
}
