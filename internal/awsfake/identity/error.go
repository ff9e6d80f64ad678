package identity

import (
	"net/http"
	"strings"

	"syncd/internal/awsfake/form"
	"syncd/internal/awsfake/wire"
)

func errNoSuchEntity(format string, args ...any) error {
	return wire.Refuse(http.StatusNotFound, "NoSuchEntity", format, args...)
}

func errDeleteConflict(text string) error {
	return wire.Refuse(http.StatusConflict, "DeleteConflict", "%s", text)
}

func errQuota(format string, args ...any) error {
	return wire.Refuse(http.StatusConflict, "LimitExceeded", format, args...)
}

func errMissing(parameter string) error {
	return form.ErrValidation("1 validation error detected: Value null at '%s' failed to satisfy constraint: Member must not be null", lowerFirst(parameter))
}

func lowerFirst(s string) string { return strings.ToLower(s[:1]) + s[1:] }
