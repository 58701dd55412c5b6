//! What a client can find out about this server: exactly what is supported.
//!
//! # Source
//! RFC 7643, sections 5 to 7; RFC 7644, section 4; RFC 9865, section 4 (`pagination`).

use axum::http::StatusCode;
use scim_v2::{
    models::{
        resource_types::{ResourceType, SchemaExtension},
        scim_schema::Meta,
        service_provider_config::{AuthenticationScheme, Bulk, Filter, ServiceProviderConfig, Supported},
    },
    schema_urns::{LIST_RESPONSE, RESOURCE_TYPE},
};
use serde_json::{Value, json};

use super::{
    query::{PAGE_SIZE_DEFAULT, PAGE_SIZE_MAX},
    refusal::Refusal,
    schema::{Catalogue, EMPLOYMENT, ENTERPRISE, USER},
};

/// What of the protocol is supported; `base` is the address of the interface.
pub(super) fn service_provider_config(base: &str) -> Result<Value, serde_json::Error> {
    let bearer = AuthenticationScheme {
        name: "Bearer token".to_owned(),
        r#type: Some("oauthbearertoken".to_owned()),
        description: "The secret of the source. Two hold at once, so that one is exchanged without a gap."
            .to_owned(),
        spec_uri: Some("https://www.rfc-editor.org/rfc/rfc6750".to_owned()),
        primary: Some(true),
        ..AuthenticationScheme::default()
    };
    let config = ServiceProviderConfig {
        patch: Supported { supported: true },
        bulk: Bulk::default(),
        filter: Filter { supported: true, max_results: PAGE_SIZE_MAX.into() },
        etag: Supported { supported: true },
        authentication_schemes: vec![bearer],
        meta: Some(meta("ServiceProviderConfig", format!("{base}/ServiceProviderConfig"))),
        ..ServiceProviderConfig::default()
    };
    let mut config = serde_json::to_value(config)?;
    // No cursor ever expires.
    config["pagination"] = json!({
        "cursor": true, "index": true, "defaultPaginationMethod": "index",
        "defaultPageSize": PAGE_SIZE_DEFAULT, "maxPageSize": PAGE_SIZE_MAX,
    });
    Ok(config)
}

/// The one type of resource.
pub(super) fn user_type(base: &str) -> Result<Value, serde_json::Error> {
    let extension = |schema: &str| SchemaExtension { schema: schema.to_owned(), required: false };
    serde_json::to_value(ResourceType {
        schemas: vec![RESOURCE_TYPE.to_owned()],
        id: Some("User".to_owned()),
        name: "User".to_owned(),
        description: Some("A worker of the source".to_owned()),
        endpoint: "/Users".to_owned(),
        schema: USER.to_owned(),
        // What is never told is no part of a user that is answered, so that this extension is found at the schemas only.
        schema_extensions: vec![extension(ENTERPRISE), extension(EMPLOYMENT)].into(),
        meta: Some(meta("ResourceType", format!("{base}/ResourceTypes/User"))),
    })
}

/// The schemas.
pub(super) fn schemas(catalogue: &Catalogue, base: &str) -> Vec<Value> {
    let located = |(urn, schema): &(&str, Value)| {
        let mut schema = schema.clone();
        schema["meta"] = json!({ "resourceType": "Schema", "location": format!("{base}/Schemas/{urn}") });
        schema
    };
    catalogue.published.iter().map(located).collect()
}

/// All of a kind.
pub(super) fn list(all: &[Value]) -> Value {
    json!({
        "schemas": [LIST_RESPONSE],
        "totalResults": all.len(), "itemsPerPage": all.len(), "startIndex": 1,
        "Resources": all,
    })
}

/// The one of an id.
///
/// # Errors
/// 404 if there is none.
pub(super) fn one(all: Vec<Value>, id: &str) -> Result<Value, Refusal> {
    let same = |value: &Value| value["id"].as_str().is_some_and(|other| other.eq_ignore_ascii_case(id));
    let found = all.into_iter().find(same);
    found.ok_or_else(|| Refusal::new(StatusCode::NOT_FOUND, "There is nothing of this name."))
}

fn meta(kind: &str, location: String) -> Meta {
    Meta { resource_type: Some(kind.to_owned()), location: Some(location), ..Meta::default() }
}
