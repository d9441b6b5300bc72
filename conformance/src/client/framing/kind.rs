//! Tables of packet types: the place in the table is the digit on the wire.

/// An enum of packet types in the order of their digits, with their names in the packet vectors.
macro_rules! kinds {
    ($doc:literal; $($(#[$of_kind:meta])* $kind:ident = $name:literal,)+) => {
        #[doc = $doc]
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Kind {
            $($(#[$of_kind])* $kind,)+
        }

        impl Kind {
            const ALL: &'static [(Kind, &'static str)] = &[$((Kind::$kind, $name),)+];

            /// The type's name in the packet vectors.
            #[must_use]
            pub fn name(self) -> &'static str {
                Kind::ALL[self as usize].1
            }

            /// The type of that name.
            #[must_use]
            pub fn from_name(name: &str) -> Option<Kind> {
                Kind::ALL.iter().find(|(_, known)| *known == name).map(|(kind, _)| *kind)
            }

            /// The digit on the wire.
            #[must_use]
            pub fn digit(self) -> char {
                char::from(b'0' + self as u8)
            }

            /// The type of that digit.
            #[must_use]
            pub fn from_digit(digit: u8) -> Option<Kind> {
                let place = digit.checked_sub(b'0')?;
                Kind::ALL.get(usize::from(place)).map(|(kind, _)| *kind)
            }
        }
    };
}

pub(super) use kinds;
