package invocation

import (
	"errors"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"syncd/config"
	"syncd/internal/access"
	"syncd/internal/control"
	"syncd/internal/daemon/web"
	"syncd/internal/printable"
)

// Gate returns the checks that a configuration must pass in addition to the rules of package
// config. They depend on this machine and this version, and send no request. Every command that
// works on mappings uses them, so that no command rejects what `syncd config check` accepts.
func Gate() []config.Check {
	return []config.Check{refuseUnsupported, checkWebConfig, checkControlSocket}
}

// checkWebConfig rejects a web configuration that the HTTP server would reject.
func checkWebConfig(c *config.Config, r config.Reporter) {
	if err := web.CheckWebConfig(c.HTTP.WebConfig); err != nil {
		r.Fault("http.web_config", printable.Line(err.Error()), "correct the file, or remove the setting")
	}
}

// checkControlSocket rejects a path where run could not create a socket, as far as that can be
// known without creating anything.
func checkControlSocket(c *config.Config, r config.Reporter) {
	path := c.Control.Socket
	if path == "" || path == config.SocketOff {
		return
	}
	switch info, err := os.Lstat(path); {
	case err != nil || info.Mode()&fs.ModeSocket != 0:
	case info.IsDir():
		r.Fault("control.socket", strconv.Quote(path)+" is a folder", "use the path of a file in it, such as "+filepath.Join(path, "control.sock"))
		return
	default:
		r.Fault("control.socket", strconv.Quote(path)+" is not a socket ("+info.Mode().String()+")", "use the path of a file that does not exist, or off")
		return
	}
	if err := control.CheckPlace(path); err != nil {
		r.Fault("control.socket", strconv.Quote(path)+": "+printable.Line(err.Error()), SocketPlaceHint(path, err))
	}
}

// SocketPlaceHint returns a hint that says where to put the socket instead of at path.
func SocketPlaceHint(path string, err error) string {
	dir, file := filepath.Split(path)
	if errors.Is(err, control.ErrNotTrusted) {
		return "make that folder writable only for the user of the daemon and root, or use a path one folder deeper, such as " +
			filepath.Join(dir, "own", file) + ": syncd creates the new folder, and only the user of the daemon can access it"
	}
	return "use a path in a folder that only the user of the daemon and root can write to, or off; syncd creates the folder if it does not exist"
}

// WarnControlSocket warns if this user could not create the socket. The socket's place is not a
// fault, because the daemon may run as another user or on another machine.
func WarnControlSocket(c *config.Config, r config.Reporter) {
	if c.Control.Socket == "" || c.Control.Socket == config.SocketOff {
		return
	}
	if err := control.CheckUsable(c.Control.Socket); err != nil {
		r.Warn("control.socket", "this user cannot create it on this machine: "+printable.Line(err.Error()), "make sure that the user of `syncd run` can")
	}
}

// RefuseUnscheduled rejects the configurations that WarnUnscheduled warns about.
func RefuseUnscheduled(f Flags) config.Check {
	return func(c *config.Config, r config.Reporter) {
		if !hasSchedule(c, f) {
			r.Fault("mappings", noSchedule, noScheduleHint)
		}
	}
}

const (
	noSchedule     = "no mapping has a schedule: passes run only on request"
	noScheduleHint = "set schedule of a mapping, unless this is intended"
)

// hasSchedule reports whether any selected mapping has a schedule, so that a daemon would run
// passes without a request. It also returns true for a configuration without mappings.
func hasSchedule(c *config.Config, f Flags) bool {
	asked := slices.DeleteFunc(slices.Clone(c.Mappings), func(m config.Mapping) bool { return !Chosen(f.Mappings, m.Name) })
	return len(asked) == 0 || slices.ContainsFunc(asked, func(m config.Mapping) bool { return !m.Schedule.IsZero() })
}

// WarnUnscheduled warns about a daemon that would run passes only on request.
func WarnUnscheduled(f Flags) config.Check {
	return func(c *config.Config, r config.Reporter) {
		if !hasSchedule(c, f) {
			r.Warn("mappings", noSchedule, noScheduleHint)
		}
	}
}

// WarnExternalIDs warns about external ids that cannot be read. An unreadable one is not a fault,
// because an external id is read when the role is assumed, perhaps on another machine.
func (p Process) WarnExternalIDs(c *config.Config, r config.Reporter) {
	for _, name := range slices.Sorted(maps.Keys(c.Roles)) {
		if _, err := c.Roles[name].ExternalID.Resolve(p.LookupEnv, p.ReadFile); err != nil {
			r.Warn("roles."+name+".external_id", "the role cannot be assumed on this machine: "+err.Error(), "")
		}
	}
}

// LogWarnings logs the warnings of a configuration.
func LogWarnings(logger *slog.Logger, c *config.Config) {
	for _, w := range c.Warnings() {
		logger.Warn("configuration has a doubtful setting", "warning", w.String())
	}
}

// WarnSessionPolicies warns about each role that is configured for scoped sessions but whose
// session policy for a mapping cannot be created. A pass of that mapping would fail when it assumes
// the role.
func WarnSessionPolicies(c *config.Config, r config.Reporter) {
	warned := map[string]bool{}
	for _, m := range c.Mappings {
		for _, name := range slices.Concat(c.Chain(m.Source.Role), c.Chain(m.Destination.Role)) {
			if warned[name] || c.Roles[name].SessionPolicy != config.SessionPolicyScoped {
				continue
			}
			if _, err := access.SessionPolicyText(c, m, name); err != nil {
				warned[name] = true
				r.Warn("roles."+name+".session_policy", "mapping "+m.Name+" would fail: "+err.Error(), "")
			}
		}
	}
}
