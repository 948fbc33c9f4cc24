"""Presets: the headers of platforms' exports, in the box and of one's own."""

from __future__ import annotations

import pytest

from crmkit import records
from crmkit.core.errors import ConfigError
from crmkit.records import SCHEMAS, presets

GOOD = """
schema = "TRANSACTIONS"
platform = "Till"
summary = "Receipts."
source = ["the till's manual"]
[columns]
customer_id = ["Card", "Loyalty"]
time = "Stamp"
amount = "Sum"
"""
PRESETS = presets()


def test_the_box_has_platforms_of_both_languages():
    names = {preset.name for preset in PRESETS}
    assert {
        *("salesforce-opportunities", "salesforce-cases", "hubspot-deals", "zendesk-tickets", "shopify-orders"),
        *("zoho-deals", "dynamics365-opportunities", "taobao-orders", "salesforce-contacts"),
    } <= names


@pytest.mark.parametrize("preset", PRESETS, ids=[preset.name for preset in PRESETS])
def test_every_preset_has_a_source_and_maps_what_its_schema_requires(preset):
    assert all(preset.source)
    schema = SCHEMAS[preset.schema]
    for column in schema:
        if column.required and not all(factor in preset.columns for factor in column.product_of or ("",)):
            assert column.name in preset.columns


@pytest.mark.parametrize("preset", PRESETS, ids=[preset.name for preset in PRESETS])
def test_every_preset_reads_a_file_of_its_headers(preset):
    schema = SCHEMAS[preset.schema]
    cells = {
        "time": "2024-05-01",
        "date": "2024-05-01",
        "number": "2",
        "integer": "2",
        "value": "won",
        "id": "7",
        "text": "x",
    }
    source = {headers[0]: [cells[schema[name].dtype]] for name, headers in preset.columns.items()}
    loaded = records.read(source, schema, preset=preset.name)
    assert {name: loaded.report.headers[name] for name in preset.columns} == {
        name: headers[0] for name, headers in preset.columns.items()
    }
    assert set(preset.columns) <= loaded.report.told


def test_the_lines_of_a_shopify_order_are_rows_with_their_own_amounts(tmp_path):
    path = tmp_path / "orders.csv"
    path.write_text(
        "Name,Email,Financial Status,Currency,Total,Created at,Lineitem quantity,Lineitem price,Lineitem sku\n"
        "#1001,a@mail.cn,paid,USD,25.00,2024-05-28 11:23:18 -0400,2,10.00,X\n"
        "#1001,a@mail.cn,,,,2024-05-28 11:23:18 -0400,1,5.00,Y\n",
        encoding="utf-8",
    )
    loaded = records.read(path, records.TRANSACTIONS, preset="shopify-orders", currency="USD")
    assert loaded.table["amount"].tolist() == [20.0, 5.0]
    assert loaded.table["order_id"].tolist() == ["#1001", "#1001"]
    assert loaded.table["time"].dt.hour.tolist() == [15, 15]


def test_a_taobao_report_in_gbk_is_read(tmp_path):
    path = tmp_path / "orders.csv"
    header = "订单编号,买家会员名,总金额,买家实际支付金额,收货地址 ,联系手机,订单创建时间,订单付款时间 ,退款金额"
    line = '="1234567",买家一,30.00,25.00,浙江省杭州市,\'13800138000,2024-05-01 07:00:00,2024-05-01 07:01:00,0.00'
    path.write_text(f"{header}\n{line}\n", encoding="gbk")
    loaded = records.read(path, records.TRANSACTIONS, preset="taobao-orders", timezone="Asia/Shanghai", currency="CNY")
    row = loaded.table.iloc[0]
    assert row["customer_id"] == "买家一"
    assert row["order_id"] == "1234567"
    assert row["phone"] == "13800138000"
    assert row["amount"] == 25.0
    assert row["day"] == 19844


def test_columns_go_before_the_preset():
    source = {"Card": ["a"], "Loyalty": ["b"], "Stamp": ["2024-05-01"], "Sum": [1], "Net": [2]}
    path_free = {"customer_id": "Loyalty", "amount": "Net"}
    loaded = records.read(source, records.TRANSACTIONS, columns={**path_free, "time": "Stamp"})
    assert loaded.table[["customer_id", "amount"]].to_numpy().tolist() == [["b", 2.0]]


class TestOnesOwn:
    @pytest.fixture
    def folder(self, tmp_path):
        (tmp_path / "till.toml").write_text(GOOD, encoding="utf-8")
        return tmp_path

    @pytest.mark.parametrize("kind", [str, lambda path: path])
    def test_a_file_is_taken_by_its_path(self, folder, kind):
        source = {"Loyalty": ["b"], "Stamp": ["2024-05-01"], "Sum": [1]}
        loaded = records.read(source, records.TRANSACTIONS, preset=kind(folder / "till.toml"))
        assert loaded.table["customer_id"].tolist() == ["b"]

    def test_a_folder_is_named_by_the_environment(self, folder, monkeypatch):
        monkeypatch.setenv("CRMKIT_PRESETS", str(folder))
        assert "till" in [preset.name for preset in presets()]
        source = {"Card": ["a"], "Stamp": ["2024-05-01"], "Sum": [1]}
        assert records.read(source, records.TRANSACTIONS, preset="till").table["customer_id"].tolist() == ["a"]

    def test_a_preset_of_the_folder_takes_the_place_of_one_in_the_box(self, folder):
        (folder / "shopify-orders.toml").write_text(GOOD, encoding="utf-8")
        mine = {preset.name: preset for preset in presets(folder)}
        assert mine["shopify-orders"].platform == "Till"

    def test_a_folder_that_is_not_there_is_told(self, tmp_path):
        with pytest.raises(ConfigError, match="there is no folder of presets"):
            presets(tmp_path / "nowhere")

    def test_an_unknown_name_gets_the_nearest(self):
        with pytest.raises(ConfigError, match="no preset 'shopify-order'; nearest: 'shopify-orders'"):
            records.read({}, records.TRANSACTIONS, preset="shopify-order")

    def test_a_preset_for_another_schema_is_refused(self):
        with pytest.raises(ConfigError, match="'shopify-orders' is for TRANSACTIONS, not for CASES"):
            records.read({}, records.CASES, preset="shopify-orders")

    def test_an_absent_file_is_told(self, tmp_path):
        with pytest.raises(ConfigError, match="there is no preset file"):
            records.read({}, records.CASES, preset=tmp_path / "x.toml")

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            (("platform =", "platfrom ="), "unknown key 'platfrom'; nearest: 'platform'"),
            (('source = ["the till\'s manual"]', ""), "lacks source"),
            (('source = ["the till\'s manual"]', 'source = "a"'), "source must be of type list"),
            (('schema = "TRANSACTIONS"', 'schema = "SALES"'), "schema must be one of CUSTOMERS"),
            (("amount = ", "amuont = "), "has no column 'amuont'; nearest: 'amount'"),
            (('amount = "Sum"', "amount = 3"), "amount must be a header or a list of headers"),
            (('amount = "Sum"', "amount = ["), "is not TOML in UTF-8"),
        ],
    )
    def test_a_malformed_file_is_told_what_is_wrong(self, folder, change, message):
        path = folder / "till.toml"
        path.write_text(GOOD.replace(*change), encoding="utf-8")
        with pytest.raises(ConfigError, match=message):
            records.read({}, records.TRANSACTIONS, preset=path)
