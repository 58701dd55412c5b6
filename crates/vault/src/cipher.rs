use std::path::{Path, PathBuf};
use std::{fmt, io};

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use uuid::Uuid;
use zeroize::Zeroizing;

const KEY_BYTES: usize = 32;
const NONCE_BYTES: usize = 24;

/// Says how the rest is to be read, so that another cipher can follow one day.
const FORMAT: u8 = 1;

/// Seals and opens with one key: format (1 byte), nonce (24), ciphertext, tag (16).
///
/// The subject is authenticated with the text, so that what was sealed for one subject never opens as
/// another's. Nonces are random, which their length makes safe. The key is wiped when it is dropped.
///
/// # Source
///
/// draft-irtf-cfrg-xchacha-03, section 2.
pub(crate) struct Cipher(XChaCha20Poly1305);

/// The text cannot be opened with this key for this subject.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Unreadable;

impl Cipher {
    pub(crate) fn new(key: &[u8]) -> Option<Self> {
        XChaCha20Poly1305::new_from_slice(key).ok().map(Self)
    }

    pub(crate) fn seal(&self, subject: Uuid, plaintext: &[u8]) -> io::Result<Vec<u8>> {
        let nonce = random::<NONCE_BYTES>()?;
        let payload = Payload { msg: plaintext, aad: subject.as_bytes() };
        let sealed = self.0.encrypt(&XNonce::from(nonce), payload).map_err(io::Error::other)?;
        Ok([&[FORMAT], nonce.as_slice(), &sealed].concat())
    }

    pub(crate) fn open(&self, subject: Uuid, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, Unreadable> {
        let (format, rest) = sealed.split_first().ok_or(Unreadable)?;
        let (nonce, msg) = rest.split_first_chunk::<NONCE_BYTES>().ok_or(Unreadable)?;
        if *format != FORMAT {
            return Err(Unreadable);
        }
        let payload = Payload { msg, aad: subject.as_bytes() };
        self.0.decrypt(&XNonce::from(*nonce), payload).map(Zeroizing::new).map_err(|_| Unreadable)
    }
}

/// Makes a new key.
pub(crate) fn new_key() -> io::Result<Zeroizing<[u8; KEY_BYTES]>> {
    random().map(Zeroizing::new)
}

fn random<const N: usize>() -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(io::Error::other)?;
    Ok(bytes)
}

/// The key that seals the keys; it lies outside of the database.
///
/// It is never shown, not even by `Debug`, and wiped when it is dropped.
pub struct MasterKey(pub(crate) Cipher);

impl MasterKey {
    /// Reads the key file (32 random bytes, mode 0600), and creates it where there is none.
    ///
    /// # Errors
    ///
    /// [`MasterKeyError::File`] if it can be neither read nor created, or does not hold 32 bytes.
    pub fn load_or_create(path: impl AsRef<Path>) -> Result<Self, MasterKeyError> {
        let path = path.as_ref();
        let key = identity::secret_file::read_or_create(path, || Ok(new_key()?.to_vec()))
            .map(Zeroizing::new)
            .map_err(|source| MasterKeyError::File { path: path.to_owned(), source })?;
        Self::from_bytes(&key).map_err(|wrong| MasterKeyError::File {
            path: path.to_owned(),
            source: io::Error::new(io::ErrorKind::InvalidData, wrong),
        })
    }

    /// Takes the key's 32 bytes.
    ///
    /// # Errors
    ///
    /// [`MasterKeyError::Length`] if they are not 32.
    pub fn from_bytes(key: &[u8]) -> Result<Self, MasterKeyError> {
        Cipher::new(key).map(Self).ok_or(MasterKeyError::Length { bytes: key.len() })
    }
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("MasterKey(secret)")
    }
}

/// Why there is no master key.
#[derive(Debug, thiserror::Error)]
pub enum MasterKeyError {
    /// The key file cannot be read, created or understood.
    #[error("the master key file {} cannot be used", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the file system said, or what is wrong with it.
        source: io::Error,
    },
    /// The key has the wrong length.
    #[error("the master key has {bytes} bytes instead of {KEY_BYTES}")]
    Length {
        /// How many bytes were found.
        bytes: usize,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    const SUBJECT: Uuid = Uuid::from_u128(1);

    fn cipher() -> Cipher {
        Cipher::new(new_key().unwrap().as_slice()).unwrap()
    }

    #[test]
    fn what_is_sealed_opens_again_and_looks_different_every_time() {
        let cipher = cipher();
        for text in [b"".as_slice(), b"what does a hashtag do?", &[0; 10_000]] {
            let [once, twice] = [(); 2].map(|()| cipher.seal(SUBJECT, text).unwrap());
            assert_ne!(once, twice);
            assert_eq!(cipher.open(SUBJECT, &once).unwrap().as_slice(), text);
        }
    }

    #[test]
    fn a_single_changed_bit_is_noticed_wherever_it_is() {
        let cipher = cipher();
        let sealed = cipher.seal(SUBJECT, b"whom to ask").unwrap();
        for bit in 0..sealed.len() * 8 {
            let mut changed = sealed.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(cipher.open(SUBJECT, &changed), Err(Unreadable), "bit {bit}");
        }
        for length in 0..sealed.len() {
            assert_eq!(cipher.open(SUBJECT, &sealed[..length]), Err(Unreadable), "{length} bytes");
        }
    }

    #[test]
    fn another_subject_or_key_opens_nothing() {
        let cipher = cipher();
        let sealed = cipher.seal(SUBJECT, b"whom to ask").unwrap();
        assert_eq!(cipher.open(Uuid::from_u128(2), &sealed), Err(Unreadable));
        assert_eq!(self::cipher().open(SUBJECT, &sealed), Err(Unreadable));
    }

    #[test]
    fn the_master_key_is_never_shown() {
        let key = [0x5a; KEY_BYTES];
        let shown = format!("{:?} {0:#?}", MasterKey::from_bytes(&key).unwrap());
        assert_eq!(shown, "MasterKey(secret) MasterKey(secret)");
    }

    #[test]
    fn a_master_key_of_another_length_is_refused() {
        let refused = MasterKey::from_bytes(b"secret").unwrap_err();
        assert_eq!(refused.to_string(), "the master key has 6 bytes instead of 32");
    }

    #[test]
    fn the_master_key_file_is_made_once() {
        let folder = std::env::temp_dir().join(format!("updraft-vault-{}", identity::Id::<()>::mint()));
        let [first, second] = [(); 2].map(|()| MasterKey::load_or_create(folder.join("master.key")).unwrap());
        let sealed = first.0.seal(SUBJECT, b"whom to ask").unwrap();
        assert_eq!(second.0.open(SUBJECT, &sealed).unwrap().as_slice(), b"whom to ask");
        std::fs::remove_dir_all(folder).unwrap();
    }
}
