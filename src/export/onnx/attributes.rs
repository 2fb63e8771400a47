//! Attributes of nodes, and descriptions of values, in a graph.

use super::proto::*;

pub(super) fn int(name: &str, value: i64) -> AttributeProto {
    AttributeProto { i: Some(value), ..attribute(name, ATTRIBUTE_INT) }
}

pub(super) fn ints(name: &str, values: &[i64]) -> AttributeProto {
    AttributeProto { ints: values.to_vec(), ..attribute(name, ATTRIBUTE_INTS) }
}

pub(super) fn float(name: &str, value: f64) -> AttributeProto {
    AttributeProto { f: Some(value as f32), ..attribute(name, ATTRIBUTE_FLOAT) }
}

pub(super) fn string(name: &str, value: &str) -> AttributeProto {
    AttributeProto { s: Some(value.into()), ..attribute(name, ATTRIBUTE_STRING) }
}

pub(super) fn attribute(name: &str, kind: i32) -> AttributeProto {
    AttributeProto { name: name.into(), r#type: kind, ..AttributeProto::default() }
}

/// A float tensor `[n, shape...]`, n free.
pub(super) fn value_info(name: &str, shape: &[usize]) -> ValueInfoProto {
    let batch = DimensionProto { dim_value: None, dim_param: Some("n".into()) };
    let rest = shape.iter().map(|&length| DimensionProto { dim_value: Some(length as i64), dim_param: None });
    let shape = TensorShapeProto { dim: [batch].into_iter().chain(rest).collect() };
    ValueInfoProto {
        name: name.into(),
        r#type: Some(TypeProto { tensor_type: Some(TensorTypeProto { elem_type: TENSOR_FLOAT, shape: Some(shape) }) }),
    }
}
