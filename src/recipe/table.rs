//! The layers of a network with the shapes between them. This is the only walk through layers, and the layers inside of
//! them, that checks anything; other code that needs every layer takes the rows that it gives, by [`LayerTable::all`]
//! or [`all_layers`].

use super::layer::{LayerSpec, OfAll, ParameterCount};
use super::network::{MAX_LAYERS, NetworkSpec};
use super::sizes::MAX_VALUES;

/// How deep residuals may be nested.
pub const MAX_DEPTH: usize = 8;

/// The layers of a network with the shapes between them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LayerTable {
    /// One row per entry of the network's `layers`, in order.
    pub rows: Vec<LayerRow>,
    /// The sum over all layers.
    pub parameters: ParameterCount,
}

/// One layer of a [`LayerTable`]; shapes leave the batch out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LayerRow {
    /// The place of the layer, by numbers from 1: `3`, or inside of a residual `3.layers.1`, `3.shortcut.2`.
    pub place: String,
    /// The layer's name in a recipe.
    pub kind: &'static str,
    /// The shape of the input.
    pub input: Vec<usize>,
    /// The shape of the output.
    pub output: Vec<usize>,
    /// The parameters of the layer itself. A residual has none, as the layers inside of it have rows of their own.
    pub parameters: ParameterCount,
    /// The rows of a residual's `layers`.
    pub layers: Vec<LayerRow>,
    /// The rows of a residual's `shortcut`.
    pub shortcut: Vec<LayerRow>,
}

impl LayerRow {
    /// The layer as messages name it: `layer 3.layers.1 (conv2d)`.
    pub fn name(&self) -> String {
        name(&self.place, self.kind)
    }

    /// Whether it normalises by the statistics of the whole batch.
    pub(super) fn normalises_batch(&self) -> bool {
        matches!(self.kind, "batch_norm" | "conditional_batch_norm")
    }

    /// Whether its output for an example depends on the other examples of the batch.
    pub(super) fn mixes_examples(&self) -> bool {
        self.normalises_batch() || self.kind == "minibatch_stddev"
    }

    /// The number of residuals around it.
    pub fn depth(&self) -> usize {
        self.place.matches('.').count() / 2
    }

    /// The row, and those of all layers inside of it.
    pub(crate) fn all(&self) -> Vec<&LayerRow> {
        let inside = self.layers.iter().chain(&self.shortcut).flat_map(LayerRow::all);
        [self].into_iter().chain(inside).collect()
    }
}

/// The message about a residual that is nested too deep.
pub(super) fn too_deep() -> String {
    format!("at most {MAX_DEPTH} residuals may stand inside of one another; take it out of some")
}

fn name(place: &str, kind: &str) -> String {
    format!("layer {place} ({kind})")
}

impl LayerTable {
    /// The shape of the last layer's output.
    pub fn output(&self) -> &[usize] {
        self.rows.last().map_or(&[], |row| &row.output)
    }

    /// The rows of all layers at any depth; a residual comes before the layers inside of it.
    pub fn all(&self) -> Vec<&LayerRow> {
        self.rows.iter().flat_map(LayerRow::all).collect()
    }
}

/// All of `layers` at any depth, each with its row of `rows`; a residual comes before the layers inside of it.
pub(crate) fn all_layers<'a>(layers: &'a [LayerSpec], rows: &'a [LayerRow]) -> Vec<(&'a LayerSpec, &'a LayerRow)> {
    let with_inside = |(layer, row): (&'a LayerSpec, &'a LayerRow)| {
        let [main, shortcut] = layer.branches();
        let inside = [all_layers(main, &row.layers), all_layers(shortcut, &row.shortcut)].concat();
        [(layer, row)].into_iter().chain(inside)
    };
    layers.iter().zip(rows).flat_map(with_inside).collect()
}

impl NetworkSpec {
    /// The shapes and parameters of every layer.
    ///
    /// # Errors
    /// One line on the first layer that doesn't fit, with its number, counted from 1, and the shapes. A recipe that was
    /// loaded gives no error.
    pub fn table(&self) -> Result<LayerTable, String> {
        let mut walk = Walk { of_all: self.of_all(), layers: 0, parameters: ParameterCount::default() };
        let rows = walk.rows(&self.layers, "", 0, &self.input)?;
        Ok(LayerTable { rows, parameters: walk.parameters })
    }
}

/// What has been found on the way through a network.
struct Walk {
    of_all: OfAll,
    layers: usize,
    parameters: ParameterCount,
}

impl Walk {
    /// The rows of `layers`, which are in the place `within`, inside of `depth` residuals, for `input`.
    fn rows(
        &mut self,
        layers: &[LayerSpec],
        within: &str,
        depth: usize,
        input: &[usize],
    ) -> Result<Vec<LayerRow>, String> {
        let mut rows: Vec<LayerRow> = Vec::new();
        for (index, layer) in layers.iter().enumerate() {
            let input = rows.last().map_or(input, |row| &row.output);
            rows.push(self.row(layer, format!("{within}{}", index + 1), depth, input)?);
        }
        Ok(rows)
    }

    fn row(&mut self, layer: &LayerSpec, place: String, depth: usize, input: &[usize]) -> Result<LayerRow, String> {
        let kind = layer.kind();
        let at = |why: String| format!("{}: {why}", name(&place, kind));
        self.layers += 1;
        if self.layers > MAX_LAYERS {
            return Err(at(format!("a network has at most {MAX_LAYERS} layers in all; take some away")));
        }
        if let LayerSpec::Residual { layers, .. } = layer {
            if depth == MAX_DEPTH {
                return Err(at(too_deep()));
            }
            if layers.is_empty() {
                return Err(at("layers is empty; give it one or more, or take the residual away".into()));
            }
        }
        let [main, shortcut] = layer.branches();
        let layers = self.rows(main, &format!("{place}.layers."), depth + 1, input)?;
        let shortcut = self.rows(shortcut, &format!("{place}.shortcut."), depth + 1, input)?;
        let output = match layer {
            LayerSpec::Residual { .. } => sum_shape(input, &layers, &shortcut),
            _ => layer.output_shape(input, self.of_all),
        };
        let output = output.map_err(at)?;
        let parameters = layer.parameters(input, self.of_all);
        let sum = &mut self.parameters;
        sum.trainable = sum.trainable.saturating_add(parameters.trainable);
        sum.not_trainable += parameters.not_trainable;
        if sum.total() > MAX_VALUES {
            return Err(at(format!(
                "from {input:?} to {output:?} takes {} parameters, which brings the network to \
                 {}; make it smaller, at most {MAX_VALUES} fit in one network",
                parameters.total(),
                sum.total()
            )));
        }
        Ok(LayerRow { place, kind, input: input.to_vec(), output, parameters, layers, shortcut })
    }
}

/// The shape of a residual's output, which both of its branches must give.
fn sum_shape(input: &[usize], layers: &[LayerRow], shortcut: &[LayerRow]) -> Result<Vec<usize>, String> {
    let end = |rows: &[LayerRow]| rows.last().map_or(input.to_vec(), |row| row.output.clone());
    let [left, right] = [layers, shortcut].map(end);
    if left == right {
        return Ok(left);
    }
    let what = if shortcut.is_empty() { "its input, which is the shortcut," } else { "its shortcut" };
    let fix = match (&left[..], input) {
        (&[h, w, c], &[height, width, _]) => {
            let stride = height.div_ceil(h);
            let fits = [height.div_ceil(stride), width.div_ceil(stride)] == [h, w];
            let layer = format!("{{ layer = \"conv2d\", filters = {c}, kernel = 1, stride = {stride} }}");
            fits.then(|| format!(", as shortcut = [{layer}] would"))
        }
        _ => None,
    };
    let fix = fix.unwrap_or_default();
    Err(format!("its layers give {left:?} but {what} {right:?}; make them equal{fix}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A network of `layers`, written as in a recipe.
    fn network(input: &[usize], layers: &str) -> NetworkSpec {
        let text = format!("input = {input:?}\noptimizer = {{ kind = 'sgd', learning_rate = 1 }}\nlayers = [{layers}]");
        toml::from_str(&text).unwrap()
    }

    fn table(input: &[usize], layers: &str) -> LayerTable {
        network(input, layers).table().unwrap_or_else(|why| panic!("{why}"))
    }

    fn wrong(input: &[usize], layers: &str) -> String {
        network(input, layers).table().unwrap_err()
    }

    const HALVED: &str = "{ layer = 'conv2d', filters = 6, kernel = 3, stride = 2 }";

    #[test]
    fn every_layer_has_a_row_with_its_place_and_counts_once() {
        let inner = "{ layer = 'residual', layers = [{ layer = 'batch_norm' }] }";
        let shortcut = "{ layer = 'conv2d', filters = 6, kernel = 1, stride = 2, bias = false }";
        let outer = format!("{{ layer = 'residual', layers = [{HALVED}, {inner}], shortcut = [{shortcut}] }}");
        let table = table(&[8, 6, 4], &format!("{{ layer = 'relu' }}, {outer}, {{ layer = 'global_average_pool' }}"));
        let names: Vec<String> = table.all().iter().map(|row| row.name()).collect();
        let expected = [
            "layer 1 (relu)",
            "layer 2 (residual)",
            "layer 2.layers.1 (conv2d)",
            "layer 2.layers.2 (residual)",
            "layer 2.layers.2.layers.1 (batch_norm)",
            "layer 2.shortcut.1 (conv2d)",
            "layer 3 (global_average_pool)",
        ];
        assert_eq!(names, expected);
        assert_eq!(table.all().iter().map(|row| row.depth()).collect::<Vec<_>>(), [0, 0, 1, 1, 2, 1, 0]);
        let [residual, after] = [&table.rows[1], &table.rows[2]];
        assert_eq!(
            (&residual.output[..], &after.input[..], table.output()),
            (&[4, 3, 6][..], &[4, 3, 6][..], &[6][..])
        );
        assert_eq!(residual.parameters, ParameterCount::default());
        let [learned, kept] = [3 * 3 * 4 * 6 + 6 + 2 * 6 + 4 * 6, 2 * 6];
        assert_eq!(table.parameters, ParameterCount { trainable: learned, not_trainable: kept });
    }

    #[test]
    fn what_does_not_fit_is_named_at_any_depth() {
        let dense = "{ layer = 'dense', units = 3 }";
        let inside = |layers: &str| format!("{{ layer = 'residual', layers = [{layers}] }}");
        assert_eq!(
            wrong(&[8, 6, 4], &inside(&format!("{{ layer = 'relu' }}, {}", inside(dense)))),
            "layer 1.layers.2.layers.1 (dense): needs a vector [n] but its input is [8, 6, 4]; put a flatten before it"
        );
        let misfit = format!("{{ layer = 'residual', layers = [{HALVED}], shortcut = [{{ layer = 'tanh' }}] }}");
        let fix = "make them equal, as shortcut = [{ layer = \"conv2d\", filters = 6, kernel = 1, stride = 2 }] would";
        let shapes = "layer 1.layers.1 (residual): its layers give [4, 3, 6] but its shortcut [8, 6, 4]";
        assert_eq!(wrong(&[8, 6, 4], &inside(&misfit)), format!("{shapes}; {fix}"));
        // The fix works.
        let (_, shortcut) = fix.split_once("as ").unwrap();
        let mended = format!("{{ layer = 'residual', layers = [{HALVED}], {} }}", shortcut.replace(" would", ""));
        assert_eq!(table(&[8, 6, 4], &mended).output(), [4, 3, 6]);
        assert_eq!(
            wrong(&[5], &inside(dense)),
            "layer 1 (residual): its layers give [3] but its input, which is the shortcut, [5]; make them equal"
        );
        assert!(wrong(&[5], &inside("")).starts_with("layer 1 (residual): layers is empty; give it one"));
        let large = "{ layer = 'dense', units = 1000000 }";
        let said = wrong(&[1_000_000], &inside(large));
        assert!(
            said.starts_with("layer 1.layers.1 (dense): from [1000000] to [1000000] takes 1000001000000"),
            "{said}"
        );
    }

    #[test]
    fn neither_depth_nor_number_is_without_bounds() {
        let nested = |depth: usize| {
            let relu = "{ layer = 'relu' }".to_string();
            (0..depth).fold(relu, |inside, _| format!("{{ layer = 'residual', layers = [{inside}] }}"))
        };
        assert_eq!(table(&[5], &nested(MAX_DEPTH)).all().len(), MAX_DEPTH + 1);
        let said = wrong(&[5], &nested(MAX_DEPTH + 1));
        assert!(said.ends_with("(residual): at most 8 residuals may stand inside of one another; take it out of some"));
        let many = "{ layer = 'relu' }, ".repeat(600);
        let said = wrong(&[5], &format!("{{ layer = 'residual', layers = [{many}], shortcut = [{many}] }}"));
        assert!(said.starts_with("layer 1.shortcut.424 (relu): a network has at most 1024 layers in all"), "{said}");
    }
}
