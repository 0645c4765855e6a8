from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from attrs import define as _attrs_define

from ..types import UNSET, Unset

T = TypeVar("T", bound="AddressCreate")


@_attrs_define
class AddressCreate:
    """An address of a commerce. Executors are shown `formatted_address` if it is given.

    Attributes:
        address_alias (str | Unset): The commerce's own name of the address.
        city (str | Unset): The city.
        commune (str | Unset): The commune.
        country_code (str | Unset): The code of the country.
        formatted_address (str | Unset): The address as executors are shown it.
        is_primary (bool | Unset): Whether it is the first choice of its kind. Default: False.
        latitude (float | Unset): Degrees of latitude, positive to the north.
        longitude (float | Unset): Degrees of longitude, positive to the east.
        region (str | Unset): The region.
        source_ref (str | Unset): No control characters; no white space or invisible character at its ends.
        street (str | Unset): The street.
        street_number (str | Unset): The number in the street.
        unit (str | Unset): The flat, floor or office.
    """

    address_alias: str | Unset = UNSET
    city: str | Unset = UNSET
    commune: str | Unset = UNSET
    country_code: str | Unset = UNSET
    formatted_address: str | Unset = UNSET
    is_primary: bool | Unset = False
    latitude: float | Unset = UNSET
    longitude: float | Unset = UNSET
    region: str | Unset = UNSET
    source_ref: str | Unset = UNSET
    street: str | Unset = UNSET
    street_number: str | Unset = UNSET
    unit: str | Unset = UNSET

    def to_dict(self) -> dict[str, Any]:
        address_alias = self.address_alias

        city = self.city

        commune = self.commune

        country_code = self.country_code

        formatted_address = self.formatted_address

        is_primary = self.is_primary

        latitude = self.latitude

        longitude = self.longitude

        region = self.region

        source_ref = self.source_ref

        street = self.street

        street_number = self.street_number

        unit = self.unit

        field_dict: dict[str, Any] = {}

        field_dict.update({})
        if address_alias is not UNSET:
            field_dict["address_alias"] = address_alias
        if city is not UNSET:
            field_dict["city"] = city
        if commune is not UNSET:
            field_dict["commune"] = commune
        if country_code is not UNSET:
            field_dict["country_code"] = country_code
        if formatted_address is not UNSET:
            field_dict["formatted_address"] = formatted_address
        if is_primary is not UNSET:
            field_dict["is_primary"] = is_primary
        if latitude is not UNSET:
            field_dict["latitude"] = latitude
        if longitude is not UNSET:
            field_dict["longitude"] = longitude
        if region is not UNSET:
            field_dict["region"] = region
        if source_ref is not UNSET:
            field_dict["source_ref"] = source_ref
        if street is not UNSET:
            field_dict["street"] = street
        if street_number is not UNSET:
            field_dict["street_number"] = street_number
        if unit is not UNSET:
            field_dict["unit"] = unit

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        address_alias = d.pop("address_alias", UNSET)

        city = d.pop("city", UNSET)

        commune = d.pop("commune", UNSET)

        country_code = d.pop("country_code", UNSET)

        formatted_address = d.pop("formatted_address", UNSET)

        is_primary = d.pop("is_primary", UNSET)

        latitude = d.pop("latitude", UNSET)

        longitude = d.pop("longitude", UNSET)

        region = d.pop("region", UNSET)

        source_ref = d.pop("source_ref", UNSET)

        street = d.pop("street", UNSET)

        street_number = d.pop("street_number", UNSET)

        unit = d.pop("unit", UNSET)

        address_create = cls(
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

        return address_create
