"""One OpenAPI document out of many, without one service's schema taking another's place."""

from local.gateway.documents import merge


def document(path: str, schema: object, name: str = "Line") -> dict[str, object]:
    reference = {"$ref": f"#/components/schemas/{name}"}
    return {
        "paths": {path: {"get": {"responses": {"200": {"content": [reference]}}}}},
        "components": {"schemas": {name: schema}},
    }


def test_schemas_of_one_name_and_different_content_are_told_apart() -> None:
    merged = merge({"orders": document("/o", {"a": 1}), "catalog": document("/c", {"a": 2})})

    assert merged["components"]["schemas"] == {"Line": {"a": 1}, "catalog.Line": {"a": 2}}
    content = merged["paths"]["/c"]["get"]["responses"]["200"]["content"]
    assert content == [{"$ref": "#/components/schemas/catalog.Line"}]


def test_schemas_that_are_the_same_stay_one() -> None:
    merged = merge({"orders": document("/o", {"a": 1}), "catalog": document("/c", {"a": 1})})

    assert merged["components"]["schemas"] == {"Line": {"a": 1}}
    assert set(merged["paths"]) == {"/o", "/c"}


def test_what_is_merged_is_not_changed() -> None:
    second = document("/c", {"a": 2})

    merge({"orders": document("/o", {"a": 1}), "catalog": second})

    assert second == document("/c", {"a": 2})


def test_a_service_that_is_down_leaves_the_others() -> None:
    merged = merge({"orders": {}, "catalog": document("/c", {})})

    assert list(merged["paths"]) == ["/c"]
