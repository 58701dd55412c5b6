//! How a file is encoded, found out from its bytes.

use std::borrow::Cow;

use encoding_rs::WINDOWS_1252;

use super::Issue;

/// The encodings that are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// UTF-8, with or without byte order mark.
    Utf8,
    /// What Excel writes in Western Europe when it is asked for CSV.
    Windows1252,
}

const UTF_8_MARK: &[u8] = b"\xef\xbb\xbf";
const UTF_16_MARKS: [&[u8]; 2] = [b"\xff\xfe", b"\xfe\xff"];
/// How an Excel workbook begins, which is a ZIP archive.
const ZIP_BEGINNING: &[u8] = b"PK\x03\x04";

impl Encoding {
    /// The encoding of a file, and the text without its byte order mark.
    ///
    /// What is not UTF-8 is Windows-1252 only if nothing in it looks like UTF-8: a wrongly guessed name is worse than a line that
    /// is rejected. What is neither then stands in the lines that hold it.
    ///
    /// # Errors
    /// If the file is no text of one byte per character at all, such as UTF-16 or a workbook.
    pub fn of(file: &[u8]) -> Result<(Self, &[u8]), Issue> {
        if file.starts_with(ZIP_BEGINNING) {
            let detail = "The file is an Excel workbook or another archive; save it as “CSV UTF-8”.";
            return Err(Issue::new(1, "", "NOT_CSV", detail));
        }
        if UTF_16_MARKS.iter().any(|mark| file.starts_with(mark)) || has_every_other_byte_zero(file) {
            let detail = "The file is UTF-16, which Excel calls “Unicode text”; save it as “CSV UTF-8”.";
            return Err(Issue::new(1, "", "UTF_16", detail));
        }
        if let Some(text) = file.strip_prefix(UTF_8_MARK) {
            return Ok((Self::Utf8, text));
        }
        let is_windows = !has_letters_of_utf_8(file) && has_foreign_bytes(file);
        Ok((if is_windows { Self::Windows1252 } else { Self::Utf8 }, file))
    }

    /// The name, as the IANA registers it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Utf8 => "UTF-8",
            Self::Windows1252 => "windows-1252",
        }
    }

    /// A cell as text; none if it is not in this encoding.
    #[must_use]
    pub fn decode(self, cell: &[u8]) -> Option<Cow<'_, str>> {
        match self {
            Self::Utf8 => str::from_utf8(cell).ok().map(Cow::Borrowed),
            Self::Windows1252 => Some(WINDOWS_1252.decode_without_bom_handling(cell).0),
        }
    }
}

/// A header of ASCII letters in UTF-16 without a mark has a zero beside each of them.
fn has_every_other_byte_zero(file: &[u8]) -> bool {
    let beginning = file.get(..8).unwrap_or_default();
    let zeros = |first| beginning.iter().skip(first).step_by(2).all(|byte| *byte == 0);
    !beginning.is_empty() && (zeros(0) != zeros(1))
}

/// Whether there is a letter beyond ASCII that is written as UTF-8 writes it.
fn has_letters_of_utf_8(file: &[u8]) -> bool {
    file.utf8_chunks().any(|chunk| !chunk.valid().is_ascii())
}

/// Whether there are bytes that no UTF-8 has, other than the beginning of a letter at the very end: that is a file cut off.
fn has_foreign_bytes(file: &[u8]) -> bool {
    str::from_utf8(file).is_err_and(|error| error.error_len().is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recognised(file: &[u8]) -> Result<Encoding, String> {
        Encoding::of(file).map(|(encoding, _)| encoding).map_err(|issue| issue.code)
    }

    #[test]
    fn what_is_utf_8_is_utf_8_with_and_without_a_mark() {
        for text in ["", "a", "ab;c", "Jörg", "\u{feff}Jörg", "\u{feff}"] {
            assert_eq!(recognised(text.as_bytes()), Ok(Encoding::Utf8), "{text}");
        }
        assert_eq!(Encoding::of("\u{feff}a".as_bytes()).unwrap().1, b"a");
    }

    #[test]
    fn windows_1252_is_recognised_and_read() {
        let file = b"Vorname;Nachname\r\nJ\xf6rg;M\xfcller \x80";
        assert_eq!(recognised(file), Ok(Encoding::Windows1252));
        assert_eq!(Encoding::Windows1252.decode(b"M\xfcller \x80").unwrap(), "Müller €");
    }

    #[test]
    fn what_mixes_both_is_not_guessed() {
        let mixed = [b"J\xf6rg;".as_slice(), "Jörg".as_bytes()].concat();
        assert_eq!(recognised(&mixed), Ok(Encoding::Utf8));
        assert_eq!(Encoding::Utf8.decode(b"J\xf6rg"), None);
        let marked = [UTF_8_MARK, b"J\xf6rg"].concat();
        assert_eq!(recognised(&marked), Ok(Encoding::Utf8), "the mark says so");
    }

    #[test]
    fn a_letter_that_is_cut_off_at_the_end_is_no_other_encoding() {
        assert_eq!(recognised(b"Vorname\nJ\xc3"), Ok(Encoding::Utf8));
    }

    #[test]
    fn utf_16_and_workbooks_are_said_to_be_what_they_are() {
        let utf_16 = |order: fn(u16) -> [u8; 2]| "Vorname".encode_utf16().flat_map(order).collect::<Vec<_>>();
        assert_eq!(recognised(&utf_16(u16::to_le_bytes)), Err("UTF_16".to_owned()));
        assert_eq!(recognised(&utf_16(u16::to_be_bytes)), Err("UTF_16".to_owned()));
        assert_eq!(recognised(b"\xff\xfeV\0"), Err("UTF_16".to_owned()));
        assert_eq!(recognised(b"PK\x03\x04\x14\0\x06\0"), Err("NOT_CSV".to_owned()));
    }
}
