//! Looking at pages with axe-core, in both colour schemes and at phone width.

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use crate::site::crate_text;
use crate::tab::Tab;

/// What was found on the pages of a journey.
#[derive(Debug)]
pub struct Inspection {
    axe: String,
    looked_at: usize,
    found: Vec<String>,
}

/// How a page is looked at.
const LOOKS: [(&str, &str, u32, u32); 4] = [
    ("light", "light", 1280, 900),
    ("dark", "dark", 1280, 900),
    ("light, 360 px", "light", 360, 780),
    ("dark, 360 px", "dark", 360, 780),
];

impl Inspection {
    /// An inspection that has looked at nothing yet.
    ///
    /// # Errors
    /// When axe-core is not installed.
    pub fn begin() -> Result<Self> {
        let axe = crate_text("node_modules/axe-core/axe.min.js")?;
        Ok(Self { axe, looked_at: 0, found: Vec::new() })
    }

    /// Looks at the page in a tab in every way.
    ///
    /// # Errors
    /// When it cannot be looked at; what is found is told at the end.
    pub async fn look(&mut self, tab: &Tab<'_>, name: &str) -> Result<()> {
        for (look, scheme, width, height) in LOOKS {
            // Half of a transition has colours that nobody chose.
            let features = json!([
                { "name": "prefers-color-scheme", "value": scheme },
                { "name": "prefers-reduced-motion", "value": "reduce" },
            ]);
            tab.command("Emulation.setEmulatedMedia", json!({ "features": features })).await?;
            let screen = json!({
                "width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500,
            });
            tab.command("Emulation.setDeviceMetricsOverride", screen).await?;
            tab.run(&self.axe, vec![]).await?;
            let seen = tab.run_async(LOOK, vec![]).await?;
            for violation in seen["violations"].as_array().into_iter().flatten() {
                self.found.push(format!("{name} ({look}): {}", text(violation)));
            }
            if seen["sideways"] == true {
                self.found.push(format!("{name} ({look}): the page scrolls sideways"));
            }
            ensure!(seen["passes"].as_u64() > Some(3), "axe-core did not look at {name}: {seen}");
            self.looked_at += 1;
        }
        tab.command("Emulation.clearDeviceMetricsOverride", json!({})).await?;
        tab.command("Emulation.setEmulatedMedia", json!({ "features": [] })).await.map(drop)
    }

    /// Tells what was found.
    ///
    /// # Errors
    /// When anything was, or when nothing was looked at.
    pub fn end(self) -> Result<()> {
        ensure!(self.looked_at > 0, "no page was looked at");
        ensure!(
            self.found.is_empty(),
            "{} violations:\n{}",
            self.found.len(),
            self.found.join("\n")
        );
        Ok(())
    }
}

/// Runs axe with its own defaults, which include its best practices.
const LOOK: &str = "const done = arguments[arguments.length - 1];\
    Promise.all(document.getAnimations().map((one) => one.finished.catch(() => {})))\
      .then(() => axe.run(document))\
      .then((result) => done({\
        passes: result.passes.length,\
        sideways: document.documentElement.scrollWidth > document.documentElement.clientWidth,\
        violations: result.violations.map(({ id, help, nodes }) => ({\
          id, help, nodes: nodes.map(({ target, failureSummary }) => ({ target, failureSummary })),\
        })),\
      }), (error) => done({ error: String(error) }));";

fn text(violation: &Value) -> String {
    let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let nodes = violation["nodes"].as_array().into_iter().flatten();
    let nodes: Vec<_> =
        nodes.map(|node| format!("{} {}", node["target"], word(&node["failureSummary"]))).collect();
    format!("{}: {} {}", word(&violation["id"]), word(&violation["help"]), nodes.join(" | "))
}
