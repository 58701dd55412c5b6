//! The frame of every page, and text that is safe in it.

use axum::{
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::{Html, IntoResponse, Response},
};

/// What a page of ours may load and do: its own files and interface, nothing else.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; \
     form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
);
/// The reader of the `OpenAPI` document styles its own elements.
const DOCS_POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; connect-src 'self'; \
     img-src 'self' data:; font-src 'self' data:; base-uri 'none'; frame-ancestors 'none'",
);

const BANNER: &str =
    "<p class=\"banner\" role=\"note\">Demonstration identity: anyone on this machine can be anyone</p>";

/// One page.
pub(crate) struct Page<'a> {
    /// Text, not escaped yet.
    pub(crate) title: &'a str,
    /// HTML for the head, such as scripts.
    pub(crate) head: &'a str,
    /// HTML beside the navigation.
    pub(crate) account: &'a str,
    /// HTML of the content.
    pub(crate) main: &'a str,
    /// Whether anyone can be anyone here.
    pub(crate) demonstration: bool,
}

impl Page<'_> {
    pub(crate) fn into_response(self) -> Response {
        self.answer(StatusCode::OK, POLICY)
    }

    pub(crate) fn with_status(self, status: StatusCode) -> Response {
        self.answer(status, POLICY)
    }

    pub(crate) fn for_docs(self) -> Response {
        self.answer(StatusCode::OK, DOCS_POLICY)
    }

    fn answer(self, status: StatusCode, policy: HeaderValue) -> Response {
        let html = format!(
            include_str!("../pages/page.html"),
            title = escape(self.title),
            head = self.head,
            banner = if self.demonstration { BANNER } else { "" },
            account = self.account,
            main = self.main,
        );
        let headers: [(HeaderName, HeaderValue); 2] = [
            (header::CONTENT_SECURITY_POLICY, policy),
            (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        ];
        (status, headers, Html(html)).into_response()
    }
}

/// Text as HTML, fit for elements and quoted attributes.
pub(crate) fn escape(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut html, letter| {
        match letter {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            letter => html.push(letter),
        }
        html
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_a_text_is_read_as_html() {
        let text = "<script>'a' & \"b\"</script>";
        assert_eq!(escape(text), "&lt;script&gt;&#39;a&#39; &amp; &quot;b&quot;&lt;/script&gt;");
    }
}
