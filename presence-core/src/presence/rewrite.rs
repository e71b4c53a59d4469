use alloc::string::String;
use alloc::vec::Vec;

use crate::json::{Scan, Scanner, normalise_numbers, unescape_str};

/// The text of an entry, `"key":{…}`, as JavaScript would write what it reads there: of several `metas` the last one
/// in the place of the first, and numbers that JSON cannot express as `JSON.stringify` writes them.
pub(super) fn entry(raw: &str) -> Scan<String> {
    let mut scanner = Scanner::new(raw);
    scanner.key()?;
    let key_end = scanner.position();
    scanner.eat(b'{');
    // Where each member begins, and its value, which ends at the next one's start.
    let (mut members, mut first) = (Vec::new(), true);
    loop {
        scanner.skip_ws();
        let before = scanner.position();
        let Some(name) = scanner.member(first)? else {
            break;
        };
        first = false;
        let is_metas = unescape_str(scanner.slice(name.start, name.end), name.escaped) == "metas";
        let value = scanner.position();
        scanner.value()?;
        members.push(Member {
            is_metas,
            before,
            value,
            end: scanner.position(),
        });
    }
    let last = members.iter().rposition(|member| member.is_metas);
    let last_value = last.and_then(|at| members.get(at)).map_or("", |member| {
        raw.get(member.value..member.end).unwrap_or_default()
    });

    let mut out = String::with_capacity(raw.len());
    out.push_str(raw.get(..key_end).unwrap_or_default());
    out.push('{');
    let mut metas_written = false;
    for member in &members {
        let (name, value) = (
            raw.get(member.before..member.value),
            raw.get(member.value..member.end),
        );
        let value = match (member.is_metas, metas_written) {
            (true, true) => continue,
            (true, false) => last_value,
            (false, _) => value.unwrap_or_default(),
        };
        metas_written |= member.is_metas;
        out.push_str(name.unwrap_or_default());
        out.push_str(value);
    }
    out.push('}');
    let mut bytes = Vec::with_capacity(out.len());
    normalise_numbers(out.as_bytes(), &mut bytes);
    Ok(String::from_utf8(bytes).unwrap_or(out))
}

struct Member {
    is_metas: bool,
    /// Where it begins: at the comma, if it is not the first.
    before: usize,
    value: usize,
    end: usize,
}

#[cfg(test)]
mod tests {
    use super::entry;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn the_last_metas_stand_where_the_first_did() {
        let raw = r#""k":{"a":-0,"metas":5,"b":[1e999], "\u006detas":[1],"metas":[{"x":"}"}] , "c":"metas"}"#;
        let expected = r#""k":{"a":0,"metas":[{"x":"}"}],"b":[null], "c":"metas"}"#;
        assert_eq!(entry(raw).unwrap(), expected);
    }

    #[test]
    fn an_ordinary_entry_stays_as_it_is() {
        let raw = r#""k":{"metas":[{"phx_ref":"a","at":-0.5e3}],"x":1}"#;
        assert_eq!(entry(raw).unwrap(), raw);
    }
}
