//! ONNX (opset 17, IR version 8): a graph that takes the engine's inputs and gives its outputs, including images
//! `[n, h, w, c]`. In between it has channels first, as ONNX's operators require.

mod attributes;
mod graph;
mod proto;

use super::channels_first::steps;
use super::rows;
use crate::recipe::build::Role;
use crate::recipe::{LayerSpec, all_layers};
use crate::run::checkpoint::Trained;
use graph::Builder;
use prost::Message;
use proto::{ModelProto, OperatorSetIdProto, StringStringEntryProto};

/// The largest ONNX file: readers of protocol buffers take less than 2 GiB.
pub const MAX_ONNX_BYTES: u64 = (1 << 31) - 1;

/// The version of the format itself.
const IR_VERSION: i64 = 8;
/// The version of the operators.
const OPSET: i64 = 17;

/// `trained` as an ONNX file. A generator goes from `latents` `[n, width]` to `images` `[n, h, w, c]` in its own range,
/// a discriminator from `images` to `outputs` `[n, 1]`, or `[n, 1 + classes]` if it predicts classes; n is free. A
/// network that takes labels has a second input `labels` `[n, classes]`, a row of probabilities for each example: a 1
/// and zeros for a class.
///
/// # Errors
/// A message, if the network is too large for such a file, or has a layer that such a file can't have.
pub fn onnx(trained: &Trained) -> Result<Vec<u8>, String> {
    let rows = rows(trained);
    let spec = trained.role.spec(&trained.recipe);
    let all = all_layers(&spec.layers, &rows);
    check_size(all.iter().map(|(_, row)| row.parameters.total()).sum())?;
    if let Some((_, row)) = all.iter().find(|(layer, _)| matches!(layer, LayerSpec::MinibatchStddev { .. })) {
        return Err(format!(
            "has {}, whose groups depend on the batch size, which an ONNX file leaves open; use --format safetensors",
            row.name()
        ));
    }
    let [input, output] = match trained.role {
        Role::Generator => ["latents", "images"],
        Role::Discriminator | Role::Classifier => ["images", "outputs"],
    };
    let mut builder = Builder::new(input, &spec.input, spec.classes);
    for step in steps(&spec.layers, &rows, &trained.network) {
        builder.push(step);
    }
    let graph = builder.finish(trained.role.name(), output, &rows[rows.len() - 1].output);
    let metadata = [("recipe", trained.recipe.to_toml()), ("step", trained.step.to_string())];
    let model = ModelProto {
        ir_version: IR_VERSION,
        producer_name: "minimax".into(),
        producer_version: env!("CARGO_PKG_VERSION").into(),
        graph: Some(graph),
        opset_import: vec![OperatorSetIdProto { domain: String::new(), version: OPSET }],
        metadata_props: metadata.map(|(key, value)| StringStringEntryProto { key: key.into(), value }).into(),
    };
    Ok(model.encode_to_vec())
}

/// Checks that this many values of weights leave room for the graph around them.
fn check_size(values: u64) -> Result<(), String> {
    const GRAPH: u64 = 1 << 24;
    let bytes = values.saturating_mul(4);
    match bytes.saturating_add(GRAPH) <= MAX_ONNX_BYTES {
        true => Ok(()),
        false => Err(format!(
            "has {bytes} bytes of weights, and an ONNX file holds less than 2 GiB; use --format \
             safetensors"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::trained;
    use super::proto::*;
    use super::*;
    use std::collections::HashSet;

    fn decoded(role: Role) -> (ModelProto, GraphProto) {
        let file = onnx(&trained(role)).unwrap();
        let mut model = ModelProto::decode(&file[..]).unwrap();
        assert_eq!(model.encode_to_vec(), file);
        let graph = model.graph.take().unwrap();
        (model, graph)
    }

    /// The one input or output: its name and shape, -1 for what is free.
    fn end(infos: &[ValueInfoProto]) -> (&str, Vec<i64>) {
        let [info] = infos else {
            panic!("{} values", infos.len());
        };
        let tensor = info.r#type.as_ref().unwrap().tensor_type.as_ref().unwrap();
        assert_eq!(tensor.elem_type, TENSOR_FLOAT);
        let axes = tensor.shape.as_ref().unwrap().dim.iter();
        (&info.name, axes.map(|axis| axis.dim_value.unwrap_or(-1)).collect())
    }

    #[test]
    fn the_file_says_what_it_is() {
        let (model, graph) = decoded(Role::Generator);
        assert_eq!((model.ir_version, model.opset_import[0].version), (8, 17));
        assert_eq!((&model.producer_name[..], &graph.name[..]), ("minimax", "generator"));
        assert_eq!(model.metadata_props[0].key, "recipe");
        assert!(model.metadata_props[0].value.contains("name = \"every-layer\""));
        assert_eq!(end(&graph.input), ("latents", vec![-1, 10]));
        assert_eq!(end(&graph.output), ("images", vec![-1, 28, 28, 1]));
        let (_, graph) = decoded(Role::Discriminator);
        assert_eq!(end(&graph.input), ("images", vec![-1, 28, 28, 1]));
        assert_eq!(end(&graph.output), ("outputs", vec![-1, 1]));
    }

    #[test]
    fn every_value_is_made_once_and_before_it_is_used() {
        for role in [Role::Generator, Role::Discriminator] {
            let (_, graph) = decoded(role);
            let mut known = HashSet::from([String::new()]);
            let mut used = HashSet::new();
            let constants = graph.initializer.iter().map(|constant| &constant.name);
            for name in constants.chain([&graph.input[0].name]) {
                assert!(known.insert(name.clone()), "{name} is there twice");
            }
            for node in &graph.node {
                for input in &node.input {
                    assert!(known.contains(input), "{} takes {input:?}", node.name);
                    used.insert(input.clone());
                }
                for output in &node.output {
                    assert!(known.insert(output.clone()), "{output} is made twice");
                }
            }
            let unused: Vec<&String> = known.difference(&used).filter(|name| !name.is_empty()).collect();
            assert_eq!(unused, [&graph.output[0].name]);
        }
    }

    #[test]
    fn constants_have_as_many_bytes_as_their_shapes_say() {
        let (_, graph) = decoded(Role::Generator);
        for constant in &graph.initializer {
            let size = if constant.data_type == TENSOR_INT64 { 8 } else { 4 };
            let bytes = constant.dims.iter().product::<i64>() * size;
            assert_eq!(constant.raw_data.len() as i64, bytes, "{}", constant.name);
        }
        let dims = |name: &str| {
            let constant = graph.initializer.iter().find(|constant| constant.name == name);
            constant.map(|constant| constant.dims.clone()).unwrap_or_default()
        };
        assert_eq!(dims("layers.1.weight"), [30, 10]);
        assert_eq!(dims("layers.2.running_variance"), [30]);
        assert_eq!(dims("layers.9.weight"), [3, 5, 4, 3]);
        assert_eq!(dims("layers.14.weight"), [6, 4, 3, 4]);
        assert_eq!(dims("layers.24.layers.3.layers.2.weight"), [4, 4, 2, 2]);
        assert_eq!(dims("layers.24.shortcut.1.weight"), [4, 7, 1, 1]);
        assert_eq!(dims("layers.25.weight"), [8, 2, 1, 2]);
        assert_eq!(dims("layers.27.weight"), [8, 3, 2, 3]);
        assert_eq!(dims("layers.26.query.weight"), [1, 8, 1, 1]);
        assert_eq!(dims("layers.26.gamma"), [1]);
        assert!(dims("layers.36.bias").is_empty());
    }

    #[test]
    fn every_layer_has_its_operator() {
        let (_, graph) = decoded(Role::Generator);
        let operators: Vec<&str> = graph.node.iter().map(|node| &node.op_type[..]).collect();
        let expected = "Gemm BatchNormalization Relu Gemm BatchNormalization LeakyRelu Reshape \
            ConvTranspose BatchNormalization Sigmoid ConvTranspose Tanh Conv LeakyRelu \
            Flatten Gemm Reshape \
            Flatten Reshape Transpose Reshape Reshape Transpose Reshape Reshape \
            ConvTranspose MaxPool AveragePool Resize \
            Conv BatchNormalization LeakyRelu ConvTranspose Add Conv Add Add Conv \
            Conv Reshape Transpose Conv MaxPool Reshape MatMul Softmax \
            Conv MaxPool Reshape Transpose MatMul Transpose Reshape Conv Mul Add \
            ConvTranspose Mul Erf Add Mul Mul Sigmoid Mul Softplus Elu \
            Reshape InstanceNormalization Reshape Mul Add \
            AveragePool DepthToSpace Resize Resize Conv Sigmoid Transpose";
        assert_eq!(operators.join(" "), expected.split_whitespace().collect::<Vec<_>>().join(" "));
        // What goes into the outer residual meets its shortcut, and the ends of both are added.
        let adds: Vec<&NodeProto> = graph.node.iter().filter(|node| node.op_type == "Add").collect();
        let shortcut = graph.node.iter().find(|node| node.input[0] == "Resize_28" && node.name != "Conv_29").unwrap();
        assert_eq!(
            (&shortcut.op_type[..], &adds[1].input[..]),
            ("Conv", &[shortcut.name.clone(), shortcut.name.clone()][..])
        );
        assert_eq!(adds[2].input, [adds[1].name.clone(), adds[0].name.clone()]);
        let groups = graph.node.iter().flat_map(|node| node.attribute.iter().filter(|a| a.name == "group"));
        assert_eq!(groups.map(|a| a.i.unwrap()).collect::<Vec<_>>(), [2, 4]);
        let pads = graph.node[7].attribute.iter().find(|a| a.name == "pads").unwrap();
        // Top, left, bottom, right.
        assert_eq!((pads.r#type, &pads.ints[..]), (ATTRIBUTE_INTS, &[0, 1, 3, 0][..]));
    }

    #[test]
    fn a_layer_that_no_file_can_hold_is_named() {
        let mut trained = trained(Role::Discriminator);
        let layers = &mut trained.recipe.discriminator.layers;
        let last = layers.len() - 1;
        layers.insert(last, LayerSpec::Reshape { shape: vec![1, 1, 1] });
        layers.insert(last + 1, LayerSpec::MinibatchStddev { group: 4 });
        layers.insert(last + 2, LayerSpec::Flatten {});
        let what = onnx(&trained).unwrap_err();
        assert!(
            what.starts_with(&format!("has layer {} (minibatch_stddev), whose groups", last + 2))
                && what.ends_with("--format safetensors"),
            "{what}"
        );
    }

    #[test]
    fn a_network_beyond_the_format_is_refused() {
        assert!(check_size((1 << 28) + (1 << 27)).is_ok());
        let what = check_size(1 << 29).unwrap_err();
        assert!(what.contains("2147483648 bytes") && what.ends_with("--format safetensors"), "{what}");
    }
}
