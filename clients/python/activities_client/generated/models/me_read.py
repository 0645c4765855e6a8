from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast
from uuid import UUID

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..models.deployment_permission import DeploymentPermission
from ..models.me_read_credential import MeReadCredential
from ..models.permission import Permission

if TYPE_CHECKING:
    from ..models.tenant_access_read import TenantAccessRead


T = TypeVar("T", bound="MeRead")


@_attrs_define
class MeRead:
    """The subject of a credential, and what it may do.

    Attributes:
        credential (MeReadCredential): The kind of credential that was sent.
        deployment (list[DeploymentPermission]): The permissions for the whole deployment.
        permissions (list[Permission]): The permissions in `tenantId`; empty if that is null.
        subject (str): The claim `sub` of the token, or `key:` and the id of the API key: the actor of what it does.
        tenant_id (None | UUID): The tenant that the request names, else the only one of the credential; null if there
            are several.
        tenants (list[TenantAccessRead]): All tenants that the credential may act in.
    """

    credential: MeReadCredential
    deployment: list[DeploymentPermission]
    permissions: list[Permission]
    subject: str
    tenant_id: None | UUID
    tenants: list[TenantAccessRead]
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        credential = self.credential.value

        deployment = []
        for deployment_item_data in self.deployment:
            deployment_item = deployment_item_data.value
            deployment.append(deployment_item)

        permissions = []
        for permissions_item_data in self.permissions:
            permissions_item = permissions_item_data.value
            permissions.append(permissions_item)

        subject = self.subject

        tenant_id: None | str
        if isinstance(self.tenant_id, UUID):
            tenant_id = str(self.tenant_id)
        else:
            tenant_id = self.tenant_id

        tenants = []
        for tenants_item_data in self.tenants:
            tenants_item = tenants_item_data.to_dict()
            tenants.append(tenants_item)

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "credential": credential,
                "deployment": deployment,
                "permissions": permissions,
                "subject": subject,
                "tenantId": tenant_id,
                "tenants": tenants,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.tenant_access_read import TenantAccessRead  # noqa: PLC0415

        d = dict(src_dict)
        credential = MeReadCredential(d.pop("credential"))

        deployment = []
        _deployment = d.pop("deployment")
        for deployment_item_data in _deployment:
            deployment_item = DeploymentPermission(deployment_item_data)

            deployment.append(deployment_item)

        permissions = []
        _permissions = d.pop("permissions")
        for permissions_item_data in _permissions:
            permissions_item = Permission(permissions_item_data)

            permissions.append(permissions_item)

        subject = d.pop("subject")

        def _parse_tenant_id(data: object) -> None | UUID:
            if data is None:
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                tenant_id_type_0 = UUID(data)

                return tenant_id_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(None | UUID, data)

        tenant_id = _parse_tenant_id(d.pop("tenantId"))

        tenants = []
        _tenants = d.pop("tenants")
        for tenants_item_data in _tenants:
            tenants_item = TenantAccessRead.from_dict(tenants_item_data)

            tenants.append(tenants_item)

        me_read = cls(
            credential=credential,
            deployment=deployment,
            permissions=permissions,
            subject=subject,
            tenant_id=tenant_id,
            tenants=tenants,
        )

        me_read.additional_properties = d
        return me_read

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
