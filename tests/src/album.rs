//! An album: pictures of pages in light and dark, as PNG files and as one page with all of them.

use anyhow::{Context, Result, ensure};
use base64ct::{Base64, Encoding};
use maud::{DOCTYPE, PreEscaped, html};
use serde_json::json;
use std::fs;
use std::io::Cursor;
use std::path::{Path, PathBuf};

use crate::environment;
use crate::tab::Tab;

/// The colour schemes of each picture.
pub const SCHEMES: [&str; 2] = ["light", "dark"];

/// How wide a page is looked at, in CSS pixels: wide enough for every column.
const WIDTH: u32 = 1180;

/// A taller page is cut there: a picture is looked at, not scrolled.
const MAX_HEIGHT: u64 = 2400;

/// What was seen, step by step.
#[derive(Debug, Default)]
pub struct Album {
    steps: Vec<Step>,
}

/// One page at one moment.
#[derive(Debug)]
struct Step {
    name: &'static str,
    caption: &'static str,
    /// PNG, one for each of [`SCHEMES`].
    pictures: [Vec<u8>; 2],
}

impl Album {
    /// Takes the page in a tab as it is now, whole, in both schemes.
    ///
    /// # Errors
    /// When the browser makes no picture, or the page looks the same in both.
    pub async fn take(
        &mut self,
        tab: &Tab<'_>,
        name: &'static str,
        caption: &'static str,
    ) -> Result<()> {
        let taken = [picture(tab, SCHEMES[0]).await?, picture(tab, SCHEMES[1]).await?];
        tab.command("Emulation.clearDeviceMetricsOverride", json!({})).await?;
        tab.command("Emulation.setEmulatedMedia", json!({ "features": [] })).await?;
        ensure!(taken[0] != taken[1], "{name} looks the same in light and dark");
        self.steps.push(Step { name, caption, pictures: taken });
        Ok(())
    }

    /// What the pictures are called, in their order.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        self.steps.iter().map(|step| step.name)
    }

    /// Writes what `cargo xtask demo --record` asks for; otherwise a page beside the other reports.
    ///
    /// # Errors
    /// When a picture cannot be made smaller, or a file cannot be written.
    pub fn finish(mut self) -> Result<PathBuf> {
        let wanted = environment::text(environment::RECORD_PAGE).ok().map(PathBuf::from);
        let page = wanted.clone().unwrap_or_else(|| environment::output("report/recorded.html"));
        if wanted.is_some() {
            self.squeeze()?;
        }
        write(&page, self.page().as_bytes())?;
        if let Ok(directory) = environment::text(environment::RECORD_PICTURES) {
            for step in &self.steps {
                for (scheme, bytes) in SCHEMES.iter().zip(&step.pictures) {
                    let file = Path::new(&directory).join(format!("{}-{scheme}.png", step.name));
                    write(&file, bytes)?;
                }
            }
        }
        Ok(page)
    }

    /// Makes each file small enough to be committed.
    fn squeeze(&mut self) -> Result<()> {
        for picture in self.steps.iter_mut().flat_map(|step| &mut step.pictures) {
            *picture = squeezed(picture)?;
        }
        Ok(())
    }

    /// One page that needs no other file.
    fn page(&self) -> String {
        html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta name="color-scheme" content="light dark";
                    title { "Gatepass: the demo in pictures" }
                    style { (PreEscaped(STYLE)) }
                }
                body {
                    h1 { "The demo in pictures" }
                    p {
                        "Each step of one run, in light and dark, as a browser showed it. "
                        code { "cargo xtask demo --record FILE" }
                        " makes this page anew."
                    }
                    ol {
                        @for step in &self.steps {
                            li id=(step.name) {
                                h2 { (step.caption) }
                                @for (scheme, bytes) in SCHEMES.iter().zip(&step.pictures) {
                                    img alt=(format!("{} ({scheme})", step.caption))
                                        src=(format!(
                                            "data:image/png;base64,{}",
                                            Base64::encode_string(bytes)
                                        ));
                                }
                            }
                        }
                    }
                }
            }
        }
        .into_string()
    }
}

/// The same picture in 256 colours, packed well: half the size, and no eye tells them apart, because
/// our pages have flat colours and the edges of letters.
fn squeezed(png: &[u8]) -> Result<Vec<u8>> {
    let mut decoder = png::Decoder::new(Cursor::new(png));
    decoder.set_transformations(png::Transformations::normalize_to_color8());
    let mut reader = decoder.read_info()?;
    let mut pixels = vec![0; reader.output_buffer_size().context("the picture is too large")?];
    let info = reader.next_frame(&mut pixels)?;
    let width = info.color_type.samples();
    ensure!(width == 3 || width == 4, "the picture is not in colours: {:?}", info.color_type);
    // A page has no holes: what comes without an alpha is opaque.
    let opaque: Vec<u8> =
        pixels.chunks_exact(width).flat_map(|pixel| [pixel[0], pixel[1], pixel[2], 255]).collect();
    let (columns, rows) = (usize::try_from(info.width)?, usize::try_from(info.height)?);
    let image = quantizr::Image::new(&opaque, columns, rows)?;
    let mut colours = quantizr::QuantizeResult::quantize(&image, &quantizr::Options::default());
    // Dithering would put noise into flat colours.
    colours.set_dithering_level(0.0)?;
    let mut indices = vec![0; columns * rows];
    colours.remap_image(&image, &mut indices)?;
    let found = colours.get_palette();
    let entries = found.entries.iter().take(usize::try_from(found.count)?);
    let palette = entries.map(|one| oxipng::RGBA8::new(one.r, one.g, one.b, one.a)).collect();
    let kind = oxipng::ColorType::Indexed { palette };
    let raw =
        oxipng::RawImage::new(info.width, info.height, kind, oxipng::BitDepth::Eight, indices)?;
    Ok(raw.create_optimized_png(&oxipng::Options::from_preset(4))?)
}

/// Two pictures beside each other where there is room.
const STYLE: &str = "\
:root { color-scheme: light dark; font: 1rem/1.5 system-ui, sans-serif; }\
body { max-width: 100rem; margin: 2rem auto; padding: 0 1rem; }\
h1, h2 { line-height: 1.15; }\
ol { padding: 0; list-style-position: inside; }\
li { margin: 3rem 0; }\
li::marker { font-weight: bold; }\
h2 { display: inline; font-size: 1.25rem; }\
img { display: inline-block; vertical-align: top; width: calc(50% - 1rem); min-width: 18rem; \
margin: 1rem 1rem 0 0; border: 1px solid GrayText; border-radius: 10px; }\
@media (max-width: 45rem) { img { width: 100%; } }";

/// One picture of the whole page.
async fn picture(tab: &Tab<'_>, scheme: &str) -> Result<Vec<u8>> {
    // A tab behind another paints nothing.
    tab.command("Page.bringToFront", json!({})).await?;
    let features = json!([
        { "name": "prefers-color-scheme", "value": scheme },
        // Half of a transition is nothing that anybody chose.
        { "name": "prefers-reduced-motion", "value": "reduce" },
    ]);
    tab.command("Emulation.setEmulatedMedia", json!({ "features": features })).await?;
    let screen = json!({ "width": WIDTH, "height": 800, "deviceScaleFactor": 1, "mobile": false });
    tab.command("Emulation.setDeviceMetricsOverride", screen).await?;
    // Neither the pointer nor the focus that the last click left belongs into a picture.
    let away = json!({ "type": "mouseMoved", "x": 0, "y": 0 });
    tab.command("Input.dispatchMouseEvent", away).await?;
    let height = tab.run_async(SETTLE, vec![]).await?;
    let height = height.as_u64().context("the page has no height")?.min(MAX_HEIGHT);
    let clip = json!({ "x": 0, "y": 0, "width": WIDTH, "height": height, "scale": 1 });
    let shot = json!({ "format": "png", "captureBeyondViewport": true, "clip": clip });
    let taken = tab.command("Page.captureScreenshot", shot).await?;
    let taken = taken["data"].as_str().context("the browser made no picture")?;
    let bytes = Base64::decode_vec(taken).ok().context("the picture is not base64")?;
    // PNG 3, 5.2: every file begins so.
    ensure!(bytes.starts_with(b"\x89PNG\r\n\x1a\n"), "the picture is no PNG");
    Ok(bytes)
}

/// Waits for fonts, animations and the next two frames, and tells how tall the page is.
const SETTLE: &str = "const done = arguments[arguments.length - 1];\
    document.activeElement?.blur();\
    scrollTo(0, 0);\
    const still = () => Promise.all(document.getAnimations().map((one) => one.finished.catch(() => {})));\
    document.fonts.ready.then(still)\
      .then(() => new Promise((next) => requestAnimationFrame(() => requestAnimationFrame(next))))\
      .then(() => done(document.documentElement.scrollHeight), () => done(null));";

fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent)?;
    }
    fs::write(path, bytes).with_context(|| format!("cannot write {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn page_has_every_picture_and_needs_no_other_file() -> Result<()> {
        let mut png = Vec::new();
        let mut encoder = png::Encoder::new(&mut png, 2, 1);
        encoder.set_color(png::ColorType::Rgb);
        encoder.write_header()?.write_image_data(&[255, 0, 0, 0, 0, 255])?;
        let step =
            |name| Step { name, caption: "A <step> & more", pictures: [png.clone(), png.clone()] };
        let mut album = Album { steps: vec![step("one"), step("two")] };
        album.squeeze()?;
        let page = album.page();
        ensure!(page.matches("src=\"data:image/png;base64,iVBOR").count() == 4, "{page}");
        ensure!(!page.contains("http") && page.matches("src=").count() == 4, "{page}");
        ensure!(page.contains("A &lt;step&gt; &amp; more"), "{page}");
        Ok(())
    }
}
