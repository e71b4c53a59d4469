use presence_core::json::validate;

use crate::is_json;

/// The scanner takes exactly what `JSON.parse` takes, and says where a text stops being JSON.
pub fn json(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let valid = validate(text);
    assert_eq!(valid.is_ok(), is_json(text), "{valid:?}: {text:?}");
    if let Err(error) = valid {
        assert!(error.offset <= text.len(), "{error}");
    }
}
