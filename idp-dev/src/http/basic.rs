//! HTTP Basic for programs (RFC 7617; RFC 6749, 2.3.1).

use axum::http::{HeaderMap, header};
use base64ct::{Base64, Encoding};

use crate::params::decode;
use crate::secret::Secret;

/// Id and secret of `Authorization: Basic`. Both were form-encoded before they were put together
/// (RFC 6749, 2.3.1). `None` when there is no such header, or several.
pub(crate) fn basic_credentials(headers: &HeaderMap) -> Option<(String, Secret)> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let value = values.next()?.to_str().ok()?;
    if values.next().is_some() {
        return None;
    }
    let (scheme, encoded) = value.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let bytes = Base64::decode_vec(encoded.trim()).ok()?;
    let text = String::from_utf8(bytes).ok()?;
    let (id, secret) = text.split_once(':')?;
    Some((decode(id).ok()?, Secret::new(decode(secret).ok()?)))
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn read(values: &[&str]) -> Option<(String, String)> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(header::AUTHORIZATION, HeaderValue::from_str(value).unwrap());
        }
        basic_credentials(&headers).map(|(id, secret)| (id, secret.expose().to_owned()))
    }

    #[test]
    fn op15_reads_id_and_secret_as_rfc_6749_encodes_them() {
        let of = |id: &str, secret: &str| Some((id.to_owned(), secret.to_owned()));
        // The example of RFC 6749, 2.3.1.
        let example = "Basic czZCaGRSa3F0Mzo3RmpmcDBaQnIxS3REUmJuZlZkbUl3";
        assert_eq!(read(&[example]), of("s6BhdRkqt3", "7Fjfp0ZBr1KtDRbnfVdmIw"));
        let encoded = Base64::encode_string(b"a%3Ab:c+d%25");
        assert_eq!(read(&[&format!("basic {encoded}")]), of("a:b", "c d%"));
        let colons = Base64::encode_string(b"a:b:c");
        assert_eq!(read(&[&format!("Basic {colons}")]), of("a", "b:c"));
    }

    #[test]
    fn op15_refuses_anything_else() {
        let good = "Basic czZCaGRSa3F0Mzo3RmpmcDBaQnIxS3REUmJuZlZkbUl3";
        let not_utf8 = format!("Basic {}", Base64::encode_string(b"a:\xff"));
        let no_colon = format!("Basic {}", Base64::encode_string(b"ab"));
        for bad in ["", "Basic", "Basic !", "Bearer abc", &not_utf8, &no_colon] {
            assert_eq!(read(&[bad]), None, "{bad}");
        }
        assert_eq!(read(&[good, good]), None);
        assert_eq!(read(&[]), None);
    }
}
