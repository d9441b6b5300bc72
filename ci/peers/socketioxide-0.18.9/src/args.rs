//! The arguments of an event or an acknowledgement, whatever their number.

use std::fmt;

use rmpv::Value;
use serde::de::{SeqAccess, Visitor};
use serde::ser::SerializeTuple;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// To the package a tuple is several arguments. A `Value` tells bytes from everything else.
#[derive(Clone, Debug, Default)]
pub(crate) struct Args(pub(crate) Vec<Value>);

impl Args {
    pub(crate) fn one(value: Value) -> Self {
        Self(vec![value])
    }

    pub(crate) fn text(&self, at: usize) -> &str {
        self.0.get(at).and_then(Value::as_str).unwrap_or_default()
    }

    pub(crate) fn number(&self, at: usize) -> u64 {
        self.0.get(at).and_then(Value::as_u64).unwrap_or_default()
    }

    pub(crate) fn skip(&self, n: usize) -> &[Value] {
        self.0.get(n..).unwrap_or_default()
    }
}

impl<'de> Deserialize<'de> for Args {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Values;

        impl<'de> Visitor<'de> for Values {
            type Value = Args;

            fn expecting(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
                to.write_str("arguments")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut values: A) -> Result<Args, A::Error> {
                let mut args = Args::default();
                while let Some(value) = values.next_element()? {
                    args.0.push(value);
                }
                Ok(args)
            }
        }

        // The length says "a tuple" and is not compared with what comes.
        from.deserialize_tuple(2, Values)
    }
}

impl Serialize for Args {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        Values(&self.0).serialize(to)
    }
}

/// The same, borrowed.
pub(crate) struct Values<'a>(pub(crate) &'a [Value]);

impl Serialize for Values<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut tuple = to.serialize_tuple(self.0.len())?;
        for value in self.0 {
            tuple.serialize_element(value)?;
        }
        tuple.end()
    }
}
