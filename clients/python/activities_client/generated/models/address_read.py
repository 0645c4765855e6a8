from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

T = TypeVar("T", bound="AddressRead")


@_attrs_define
class AddressRead:
    """An address of a commerce.

    Attributes:
        address_alias (None | str): The commerce's own name of the address.
        city (None | str): The city.
        commune (None | str): The commune.
        country_code (None | str): The code of the country.
        formatted_address (None | str): The address as executors are shown it.
        is_primary (bool): Whether it is the first choice of its kind. Default: False.
        latitude (float | None): Degrees of latitude, positive to the north.
        longitude (float | None): Degrees of longitude, positive to the east.
        region (None | str): The region.
        source_ref (None | str): The tenant's own reference to the address.
        street (None | str): The street.
        street_number (None | str): The number in the street.
        unit (None | str): The flat, floor or office.
    """

    address_alias: None | str
    city: None | str
    commune: None | str
    country_code: None | str
    formatted_address: None | str
    latitude: float | None
    longitude: float | None
    region: None | str
    source_ref: None | str
    street: None | str
    street_number: None | str
    unit: None | str
    is_primary: bool = False
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        address_alias: None | str
        address_alias = self.address_alias

        city: None | str
        city = self.city

        commune: None | str
        commune = self.commune

        country_code: None | str
        country_code = self.country_code

        formatted_address: None | str
        formatted_address = self.formatted_address

        is_primary = self.is_primary

        latitude: float | None
        latitude = self.latitude

        longitude: float | None
        longitude = self.longitude

        region: None | str
        region = self.region

        source_ref: None | str
        source_ref = self.source_ref

        street: None | str
        street = self.street

        street_number: None | str
        street_number = self.street_number

        unit: None | str
        unit = self.unit

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "addressAlias": address_alias,
                "city": city,
                "commune": commune,
                "countryCode": country_code,
                "formattedAddress": formatted_address,
                "isPrimary": is_primary,
                "latitude": latitude,
                "longitude": longitude,
                "region": region,
                "sourceRef": source_ref,
                "street": street,
                "streetNumber": street_number,
                "unit": unit,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)

        def _parse_address_alias(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        address_alias = _parse_address_alias(d.pop("addressAlias"))

        def _parse_city(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        city = _parse_city(d.pop("city"))

        def _parse_commune(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        commune = _parse_commune(d.pop("commune"))

        def _parse_country_code(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        country_code = _parse_country_code(d.pop("countryCode"))

        def _parse_formatted_address(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        formatted_address = _parse_formatted_address(d.pop("formattedAddress"))

        is_primary = d.pop("isPrimary")

        def _parse_latitude(data: object) -> float | None:
            if data is None:
                return data
            return cast(float | None, data)

        latitude = _parse_latitude(d.pop("latitude"))

        def _parse_longitude(data: object) -> float | None:
            if data is None:
                return data
            return cast(float | None, data)

        longitude = _parse_longitude(d.pop("longitude"))

        def _parse_region(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        region = _parse_region(d.pop("region"))

        def _parse_source_ref(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        source_ref = _parse_source_ref(d.pop("sourceRef"))

        def _parse_street(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        street = _parse_street(d.pop("street"))

        def _parse_street_number(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        street_number = _parse_street_number(d.pop("streetNumber"))

        def _parse_unit(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        unit = _parse_unit(d.pop("unit"))

        address_read = cls(
            address_alias=address_alias,
            city=city,
            commune=commune,
            country_code=country_code,
            formatted_address=formatted_address,
            is_primary=is_primary,
            latitude=latitude,
            longitude=longitude,
            region=region,
            source_ref=source_ref,
            street=street,
            street_number=street_number,
            unit=unit,
        )

        address_read.additional_properties = d
        return address_read

    @property
    def additional_keys(self) -> list[str]:
        return list(self.additional_properties.keys())

    def __getitem__(self, key: str) -> Any:
        return self.additional_properties[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self.additional_properties[key] = value

    def __delitem__(self, key: str) -> None:
        del self.additional_properties[key]

    def __contains__(self, key: str) -> bool:
        return key in self.additional_properties
