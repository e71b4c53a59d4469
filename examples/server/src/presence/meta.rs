use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

/// One meta: an object with the `phx_ref` of this very version and, after an update, the
/// `phx_ref_prev` of the version before.
#[derive(Debug, Clone, PartialEq)]
pub struct Meta {
    fields: Map<String, Value>,
    phx_ref: String,
    json: String,
}

impl Meta {
    pub(crate) fn new(mut fields: Map<String, Value>, phx_ref: String, prev: Option<&str>) -> Self {
        fields.remove("phx_ref_prev");
        if let Some(prev) = prev {
            fields.insert("phx_ref_prev".into(), prev.into());
        }
        fields.insert("phx_ref".into(), phx_ref.as_str().into());
        // Written once: a state of ten thousand is then one copy, not ten thousand encodings.
        let json = Value::Object(fields.clone()).to_string();
        Self {
            fields,
            phx_ref,
            json,
        }
    }

    /// The meta's fields, `phx_ref` included.
    pub fn fields(&self) -> &Map<String, Value> {
        &self.fields
    }

    /// The ref of this version of the meta.
    pub fn phx_ref(&self) -> &str {
        &self.phx_ref
    }

    pub(crate) fn json(&self) -> &str {
        &self.json
    }
}

/// Makes refs: twelve bytes, the first eight the time in nanoseconds as in Phoenix, the others
/// a counter, so that no two are equal and those of a restarted server are new.
#[derive(Debug, Default)]
pub(crate) struct RefSource {
    count: u32,
}

impl RefSource {
    pub(crate) fn next(&mut self) -> String {
        let nanoseconds = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |elapsed| elapsed.as_nanos() as u64);
        self.count = self.count.wrapping_add(1);
        let mut bytes = [0; 12];
        let (time, count) = bytes.split_at_mut(8);
        time.copy_from_slice(&nanoseconds.to_be_bytes());
        count.copy_from_slice(&self.count.to_be_bytes());
        URL_SAFE_NO_PAD.encode(bytes)
    }
}
