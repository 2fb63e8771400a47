//! `report.html`: one page that has everything it shows inside, so that it opens from a disk, a mail or a server alike
//! and loads nothing from elsewhere.

use super::chart::{Panel, svg};
use super::markup::escape;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use sha2::{Digest, Sha256};

/// The looks of the page.
const STYLE: &str = include_str!("page.css");
/// The script that moves a [`Media::Frames`]. Without scripts, as in most mail programs, the last frame is shown.
const SCRIPT: &str = include_str!("frames.js");
/// Only what the page itself has inside may be loaded, even if a text managed to smuggle in something else; the only
/// script allowed is the page's own, by its sum.
const POLICY: &str = "default-src 'none'; img-src data:; style-src 'unsafe-inline'";
/// Values with more characters than this get a row of their own.
const LONG: usize = 40;
/// Pictures up to this width in pixels are shown with sharp pixels, as a desktop screen doesn't reduce them.
const CRISP: u32 = 1000;

/// A page. All of its texts are plain text.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Page {
    /// The heading, and the name of the window.
    pub title: String,
    /// A line below it.
    pub subtitle: String,
    /// Names and values, in a table below that.
    pub facts: Vec<(String, String)>,
    /// The sections, from the top.
    pub sections: Vec<Section>,
}

/// A part of a [`Page`] with a heading.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Section {
    /// The heading.
    pub title: String,
    /// Paragraphs, separated by empty lines; it may be empty.
    pub text: String,
    /// Pictures: side by side if there is room; a single one takes the whole width.
    pub figures: Vec<Figure>,
    /// A text in a fixed-width font, whose lines are kept.
    pub code: Option<String>,
}

/// A picture with its caption.
#[derive(Clone, Debug, PartialEq)]
pub struct Figure {
    /// The text below it; it may be empty.
    pub caption: String,
    /// What it shows, for those who can't see it.
    pub alt: String,
    /// The picture.
    pub media: Media,
}

/// The picture of a [`Figure`].
#[derive(Clone, Debug, PartialEq)]
pub enum Media {
    /// The result of [`chart::svg`](super::chart::svg), which becomes part of the page unchanged. It is best to use a
    /// single panel, which is large enough to read on a telephone.
    Svg(String),
    /// The bytes of a PNG file.
    Png(Vec<u8>),
    /// The bytes of a GIF file.
    Gif(Vec<u8>),
    /// A PNG file that is wider than a telephone's screen, on which it can be scrolled sideways.
    Sheet(Vec<u8>),
    /// PNG files of the same size, each with its name. A slider chooses the one that is shown, which is at first the
    /// last.
    Frames(Vec<(String, Vec<u8>)>),
}

impl Page {
    /// The page as an HTML document.
    pub fn to_html(&self) -> String {
        let title = escape(&self.title);
        let figures = || self.sections.iter().flat_map(|section| &section.figures);
        let moves = figures().any(|figure| matches!(figure.media, Media::Frames(_)));
        let mut policy = POLICY.to_string();
        if moves {
            policy += &format!("; script-src 'sha256-{}'", BASE64.encode(Sha256::digest(SCRIPT)));
        }
        let mut html = format!(
            "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta http-equiv=\"Content-Security-Policy\" content=\"{policy}\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <title>{title}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n\
             <header>\n<h1>{title}</h1>\n"
        );
        if !self.subtitle.is_empty() {
            html += &format!("<p class=\"subtitle\">{}</p>\n", escape(&self.subtitle));
        }
        if !self.facts.is_empty() {
            html += "<dl>\n";
            for (name, value) in &self.facts {
                let class = if value.chars().count() > LONG { " class=\"long\"" } else { "" };
                let (name, value) = (escape(name), escape(value));
                html += &format!("<div{class}><dt>{name}</dt><dd>{value}</dd></div>\n");
            }
            html += "</dl>\n";
        }
        html += "</header>\n<main>\n";
        for section in &self.sections {
            section.write(&mut html);
        }
        html += "</main>\n";
        if moves {
            html += &format!("<script>{SCRIPT}</script>\n");
        }
        html += "</body>\n</html>\n";
        html
    }
}

impl Section {
    /// Pictures under a heading.
    pub fn new(title: impl Into<String>, figures: Vec<Figure>) -> Section {
        Section { title: title.into(), figures, ..Section::default() }
    }

    fn write(&self, html: &mut String) {
        *html += &format!("<section>\n<h2>{}</h2>\n", escape(&self.title));
        let paragraphs = self.text.split("\n\n").map(str::trim);
        for paragraph in paragraphs.filter(|text| !text.is_empty()) {
            *html += &format!("<p>{}</p>\n", escape(paragraph));
        }
        if !self.figures.is_empty() {
            *html += "<div class=\"figures\">\n";
            for figure in &self.figures {
                figure.write(html);
            }
            *html += "</div>\n";
        }
        if let Some(code) = &self.code {
            *html += &format!("<pre tabindex=\"0\"><code>{}</code></pre>\n", escape(code));
        }
        *html += "</section>\n";
    }
}

impl Figure {
    /// A picture whose caption says what it shows.
    pub fn captioned(caption: &str, media: Media) -> Figure {
        Figure { caption: caption.into(), alt: caption.into(), media }
    }

    /// A picture without a caption, which shows what `alt` says.
    pub fn plain(alt: impl Into<String>, media: Media) -> Figure {
        Figure { caption: String::new(), alt: alt.into(), media }
    }

    /// `panel` alone, which is large enough on a telephone; it has its own title.
    pub fn chart(alt: impl Into<String>, panel: &Panel) -> Figure {
        Figure::plain(alt, Media::Svg(svg("", std::slice::from_ref(panel))))
    }

    fn write(&self, html: &mut String) {
        let alt = escape(&self.alt);
        *html += match self.media {
            Media::Frames(_) => "<figure class=\"frames\">\n",
            _ => "<figure>\n",
        };
        *html += &match self.media {
            Media::Svg(_) => format!("<div class=\"plate chart\" role=\"img\" aria-label=\"{alt}\">\n"),
            Media::Sheet(_) => "<div class=\"plate sheet\" tabindex=\"0\">\n".into(),
            _ => "<div class=\"plate\">\n".into(),
        };
        match &self.media {
            Media::Svg(svg) => *html += svg,
            Media::Png(bytes) | Media::Sheet(bytes) => image(html, "png", bytes, png_size(bytes), &alt, ""),
            Media::Gif(bytes) => image(html, "gif", bytes, gif_size(bytes), &alt, ""),
            Media::Frames(frames) => {
                for (index, (name, bytes)) in frames.iter().enumerate() {
                    let hidden = if index + 1 < frames.len() { " hidden" } else { "" };
                    let (alt, name) = (format!("{alt}, {}", escape(name)), escape(name));
                    image(html, "png", bytes, png_size(bytes), &alt, &format!(" data-name=\"{name}\"{hidden}"));
                }
            }
        }
        *html += "</div>\n";
        if let Media::Frames(frames) = &self.media
            && let Some((name, _)) = frames.last()
        {
            let (name, last) = (escape(name), frames.len() - 1);
            *html += &format!(
                "<div class=\"slider\"><input type=\"range\" min=\"0\" max=\"{last}\" value=\"{last}\" autocomplete=\"off\" \
                 aria-label=\"{alt}\" hidden> <output>{name}</output></div>\n"
            );
        }
        if !self.caption.is_empty() {
            *html += &format!("<figcaption>{}</figcaption>\n", escape(&self.caption));
        }
        *html += "</figure>\n";
    }
}

/// A picture, with its size so that the browser knows it before decoding, and with `more` attributes.
fn image(html: &mut String, kind: &str, bytes: &[u8], size: Option<(u32, u32)>, alt: &str, more: &str) {
    let (width, height) = size.unwrap_or((0, 0));
    let mut attributes = more.to_string();
    if width > 0 && height > 0 {
        if width <= CRISP {
            attributes += " class=\"crisp\"";
        }
        attributes += &format!(" width=\"{width}\" height=\"{height}\"");
    }
    *html += &format!("<img{attributes} alt=\"{alt}\" src=\"data:image/{kind};base64,");
    BASE64.encode_string(bytes, html);
    *html += "\">\n";
}

/// Width and height in the first chunk of a PNG file, big-endian from byte 16 on.
fn png_size(bytes: &[u8]) -> Option<(u32, u32)> {
    let word = |at: usize| Some(u32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?));
    Some((word(16)?, word(20)?))
}

/// Width and height in the head of a GIF file, little-endian from byte 6 on.
fn gif_size(bytes: &[u8]) -> Option<(u32, u32)> {
    let word = |at: usize| Some(u16::from_le_bytes(bytes.get(at..at + 2)?.try_into().ok()?));
    Some((word(6)?.into(), word(8)?.into()))
}

#[cfg(test)]
mod tests {
    use super::super::{Picture, chart, gif};
    use super::*;

    const NASTY: &str = "</code></pre><script>alert('\"&')</script>";

    fn figure(media: Media) -> Figure {
        Figure { caption: NASTY.into(), alt: NASTY.into(), media }
    }

    fn page() -> Page {
        let picture = Picture::new(70, 40, [9; 3]);
        let animation = gif(1, 100, |_| Ok(("a".into(), picture.clone()))).unwrap();
        let panel = chart::Panel { title: NASTY.into(), ..chart::Panel::default() };
        Page {
            title: NASTY.into(),
            subtitle: NASTY.into(),
            facts: vec![(NASTY.into(), NASTY.into())],
            sections: vec![Section {
                title: NASTY.into(),
                text: format!("first\n\n{NASTY}\n\n"),
                figures: vec![
                    figure(Media::Svg(chart::svg("", &[panel]))),
                    figure(Media::Png(picture.to_png())),
                    figure(Media::Gif(animation)),
                    figure(Media::Frames(vec![(NASTY.into(), picture.to_png()), (NASTY.into(), picture.to_png())])),
                    figure(Media::Sheet(picture.to_png())),
                ],
                code: Some(NASTY.into()),
            }],
        }
    }

    #[test]
    fn no_text_becomes_markup() {
        let html = page().to_html();
        // Its own alone.
        assert!(html.contains(&format!("<script>{SCRIPT}</script>")) && html.matches("<script").count() == 1);
        assert!(!html.contains("alert('"));
        // Two in the head; two of a fact; two of the section and its code; an alt and a caption of
        // each figure; the chart's name and title; the subtitle; of frames a caption, of each the alt with its name and
        // the name, and what the slider is for and shows.
        let escaped = html.matches("&lt;script&gt;").count();
        assert_eq!(escaped, 2 + 2 + 3 + 8 + 2 + 1 + (1 + 2 * 3 + 2));
        for (open, close) in [
            ("<section", "</section>"),
            ("<figure", "</figure>"),
            ("<div", "</div>"),
            ("<pre", "</pre>"),
            ("<svg", "</svg>"),
            ("<script", "</script>"),
        ] {
            let (opened, closed) = (html.matches(open).count(), html.matches(close).count());
            assert_eq!(opened, closed, "{open}");
        }
    }

    #[test]
    fn everything_is_inside_and_pictures_say_their_size() {
        let html = page().to_html();
        for outside in ["http:", "https:", "url(", "@import", "<link", "src=\"/"] {
            let found = html.matches(outside).count();
            // The name of SVG's language looks like an address.
            let expected = html.matches("xmlns=\"http://www.w3.org/2000/svg\"").count();
            let expected = if outside == "http:" { expected } else { 0 };
            assert_eq!(found, expected, "{outside}");
        }
        let png = BASE64.encode(Picture::new(70, 40, [9; 3]).to_png());
        assert!(html.contains(&format!("src=\"data:image/png;base64,{png}\"")));
        assert!(html.contains("class=\"crisp\" width=\"70\" height=\"40\""));
        assert!(html.contains("class=\"crisp\" width=\"70\" height=\"61\""));
    }

    #[test]
    fn a_slider_shows_the_last_frame_and_its_script_is_the_only_one_allowed() {
        let html = page().to_html();
        let policy = html.split("Content-Security-Policy\" content=\"").nth(1).unwrap().split('"').next().unwrap();
        let sum = policy.split("; script-src 'sha256-").nth(1).unwrap().trim_end_matches('\'');
        let script = html.split("<script>").nth(1).unwrap().split("</script>").next().unwrap();
        assert_eq!(BASE64.decode(sum).unwrap(), Sha256::digest(script)[..]);
        assert!(policy.starts_with("default-src 'none'; ") && !policy.contains("script-src 'unsafe"));
        let frames = html.split("<figure class=\"frames\">").nth(1).unwrap().split("</figure>").next().unwrap();
        let hidden: Vec<bool> = frames.split("<img").skip(1).map(|image| image.contains(" hidden ")).collect();
        assert_eq!(hidden, [true, false]);
        assert!(frames.contains("max=\"1\" value=\"1\""), "{frames}");
        let still = Page { sections: Vec::new(), ..page() }.to_html();
        assert!(!still.contains("<script") && !still.contains("script-src"));
    }

    #[test]
    fn nothing_is_shown_where_there_is_nothing() {
        let html = Page::default().to_html();
        for part in ["<dl>", "subtitle\"", "<section", "<figure>", "<pre"] {
            assert!(!html.contains(part), "{part}");
        }
        let mut html = String::new();
        let broken = Media::Png(vec![1, 2]);
        figure(broken).write(&mut html);
        assert!(html.contains("<img alt="));
    }
}
