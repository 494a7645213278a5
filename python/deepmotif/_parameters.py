"""Hyper-parameters by name, as scikit-learn's tools expect them, without importing scikit-learn. Models room."""

from __future__ import annotations

import inspect
from typing import Any, Self

from .exceptions import InvalidArgumentError


def _signature(cls: type) -> dict[str, Any]:
    """Names and defaults of the constructor's arguments, in order."""
    parameters = list(inspect.signature(cls.__init__).parameters.values())[1:]  # type: ignore[misc]
    return {parameter.name: parameter.default for parameter in parameters}


def _is_default(value: Any, default: Any) -> bool:
    if value is default:
        return True
    try:
        return type(value) is type(default) and bool(value == default)
    except (TypeError, ValueError):
        return False


class Parameters:
    """get_params, set_params, repr and scikit-learn's tags; a subclass's constructor only stores its arguments."""

    __slots__ = ()

    output: str

    @property
    def _estimator_type(self) -> str:
        return "regressor" if self.output == "linear" else "classifier"

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Hyper-parameters by name, as given to the constructor.

        Parameters
        ----------
        deep : bool
            For scikit-learn; no parameter is an estimator itself.

        Returns
        -------
        dict
            Name to value.

        Examples
        --------
        >>> import deepmotif as dm
        >>> dm.CNN(filters=16).get_params()["filters"]
        16
        """
        return {name: getattr(self, name) for name in sorted(_signature(type(self)))}

    def set_params(self, **params: Any) -> Self:
        """Sets hyper-parameters by name; they take effect at the next `fit`.

        Raises
        ------
        InvalidArgumentError
            If there is no parameter of a name; nothing is changed then.

        Examples
        --------
        >>> import deepmotif as dm
        >>> dm.CNN().set_params(filters=16, dropout=0.2)
        CNN(filters=16, dropout=0.2)
        """
        valid = _signature(type(self))
        for name in params:
            if name not in valid:
                raise InvalidArgumentError(
                    f"Invalid parameter {name!r} for estimator {self!r}. Valid parameters are: {sorted(valid)!r}."
                )
        for name, value in params.items():
            setattr(self, name, value)
        return self

    def __repr__(self) -> str:
        defaults = _signature(type(self))
        given = {name: getattr(self, name, default) for name, default in defaults.items()}
        shown = [f"{name}={value!r}" for name, value in given.items() if not _is_default(value, defaults[name])]
        return f"{type(self).__name__}({', '.join(shown)})"

    def __sklearn_tags__(self) -> Any:
        # Only scikit-learn asks, so it is loaded by then.
        from sklearn.utils import ClassifierTags, InputTags, RegressorTags, Tags, TargetTags

        several = self.output in ("sigmoid", "linear")
        return Tags(
            estimator_type=self._estimator_type,
            target_tags=TargetTags(required=True, multi_output=several),
            classifier_tags=None if self.output == "linear" else ClassifierTags(multi_label=several),
            regressor_tags=RegressorTags() if self.output == "linear" else None,
            input_tags=InputTags(two_d_array=True, three_d_array=True, string=True),
            non_deterministic=False,
        )
