//! Text inside HTML and SVG.

/// `text` with the characters that mean something in markup, `& < > " '`, escaped. Control characters, which XML
/// forbids, become the replacement character.
pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            '\n' | '\t' => escaped.push(c),
            c if c.is_control() => escaped.push(char::REPLACEMENT_CHARACTER),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_is_markup_survives() {
        let escaped = escape("<b title=\"x\">a & 'b'\u{0}</b>\n\tz²");
        let expected = "&lt;b title=&quot;x&quot;&gt;a &amp; &#39;b&#39;\u{fffd}&lt;/b&gt;\n\tz²";
        assert_eq!(escaped, expected);
    }
}
