//! The Content-Security-Policy of each page that the demo serves.

use base64ct::{Base64, Encoding};
use sha2::{Digest, Sha256};

/// An app: its own files, its own wasm, the provider, the API, and nothing else.
pub(super) fn app(connect: &[&str]) -> String {
    [
        "default-src 'none'",
        // Compiling wasm needs this keyword and no more: eval() stays refused.
        "script-src 'self' 'wasm-unsafe-eval'",
        "style-src 'self'",
        "img-src 'self' data:",
        "font-src 'self'",
        &format!("connect-src 'self' {}", connect.join(" ")),
        // For a hidden frame that asks the provider who is signed in, and ends at the app's own page.
        &format!("frame-src 'self' {}", connect.join(" ")),
        "base-uri 'none'",
        // For a sign-out that is too long for an address and is posted.
        &format!("form-action {}", connect.join(" ")),
        "frame-ancestors 'none'",
    ]
    .join("; ")
}

/// The page at which a hidden frame of an app ends: its one script, in a frame of its own app.
pub(super) fn silent(html: &str) -> String {
    [
        "default-src 'none'",
        &format!("script-src{}", hashes(html, "script")),
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'self'",
    ]
    .join("; ")
}

/// The lobby: a page without a build step, whose inline scripts and styles are allowed by hash,
/// so that nothing else written into it runs. It talks to the provider and looks at the apps.
pub(super) fn lobby(html: &str, connect: &[String]) -> String {
    [
        "default-src 'none'".to_owned(),
        format!("script-src 'self'{}", hashes(html, "script")),
        format!("style-src 'self'{}", hashes(html, "style")),
        "img-src 'self' data:".to_owned(),
        "font-src 'self'".to_owned(),
        format!("connect-src 'self' {}", connect.join(" ")),
        "base-uri 'none'".to_owned(),
        "form-action 'none'".to_owned(),
        "frame-ancestors 'none'".to_owned(),
    ]
    .join("; ")
}

/// The sources that allow each inline element of this name, each after a space.
fn hashes(html: &str, element: &str) -> String {
    inline(html, element)
        .map(|text| {
            // A browser hashes what its parser saw: CRLF became LF.
            let seen = text.replace("\r\n", "\n");
            format!(" 'sha256-{}'", Base64::encode_string(&Sha256::digest(seen)))
        })
        .collect()
}

/// The text of each inline element of this name.
///
/// A scan, no parser: our own page is read, and an element that is missed is refused by the
/// browser, which a test of the page shows.
fn inline<'a>(html: &'a str, element: &str) -> impl Iterator<Item = &'a str> {
    let open = format!("<{element}");
    let close = format!("</{element}>");
    let mut rest = html;
    std::iter::from_fn(move || {
        loop {
            let (_, after) = rest.split_once(&open)?;
            let (attributes, after) = after.split_once('>')?;
            let (text, after) = after.split_once(&close)?;
            rest = after;
            let is_element = attributes.chars().next().is_none_or(char::is_whitespace);
            let is_inline = !attributes.split_whitespace().any(|word| word.starts_with("src="));
            if is_element && is_inline {
                return Some(text);
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn app_reaches_itself_the_provider_and_the_api_only() {
        let policy = app(&["http://idp.localhost:8083", "http://api.localhost:8085"]);
        assert!(policy.starts_with("default-src 'none'; "), "{policy}");
        let connect = "connect-src 'self' http://idp.localhost:8083 http://api.localhost:8085;";
        assert!(policy.contains(connect), "{policy}");
        assert!(policy.contains("script-src 'self' 'wasm-unsafe-eval';"), "{policy}");
        assert!(!policy.contains("unsafe-inline") && !policy.contains("'unsafe-eval'"));
    }

    #[test]
    fn lobby_allows_its_inline_script_by_hash() {
        // The hash is the example of CSP Level 3, 8.3.
        let html =
            "<script src=\"/a.js\"></script><script type=module>alert('Hello, world.');</script>";
        let policy = lobby(html, &["http://idp.localhost:8083".to_owned()]);
        let hash = "'sha256-qznLcsROx4GACP2dm0UCKCzCG+HiZ1guq6ZZDob/Tng='";
        assert!(policy.contains(&format!("script-src 'self' {hash};")), "{policy}");
    }

    #[test]
    fn finds_each_inline_element_and_no_other() {
        let html = "<script>1</script><scripted>x</scripted><script defer src=a></script>\
                    <style>s</style><script>\n2</script>";
        assert_eq!(inline(html, "script").collect::<Vec<_>>(), ["1", "\n2"]);
        assert_eq!(inline(html, "style").collect::<Vec<_>>(), ["s"]);
        assert_eq!(inline("no element", "script").count(), 0);
    }
}
