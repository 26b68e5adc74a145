package call

import (
	"os"
	"strconv"
	"strings"

	"ferry/events"
)

// inherited are the variables that a program gets of those of this process. No other: there are
// passwords among them.
var inherited = [...]string{"PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LC_ALL", "TZ", "TMPDIR", "TEMP", "TMP", "SystemRoot", "ComSpec", "PATHEXT"}

// environ returns the environment of a program.
func (c *Caller) environ(m Message) []string {
	var env []string
	for _, name := range inherited {
		if value, ok := os.LookupEnv(name); ok {
			env = append(env, name+"="+value)
		}
	}
	add := func(name, value string) {
		env = append(env, name+"="+strings.ReplaceAll(value, "\x00", ""))
	}
	switch c.o.Env {
	case "sftpgo":
		sftpgoVariables(m, add)
	case "pure-ftpd":
		pureVariables(m.Event, add)
	default:
		for _, v := range variables(c.o.Hook, m) {
			add(v[0], v[1])
		}
	}
	if m.FilePath != "" {
		add("FERRY_FILE", m.FilePath)
	}
	return env
}

// Variables returns the names of ferry, and that of the file that is checked.
func Variables() []string {
	names := []string{"FERRY_FILE"}
	for _, v := range variables("", Message{Event: &events.Event{}}) {
		names = append(names, v[0])
	}
	return names
}

// variables are the names of ferry, with values. Each is there, also where there is nothing to say.
func variables(hook string, m Message) [][2]string {
	e := m.Event
	size := ""
	if hasSize(e) {
		size = strconv.FormatInt(e.Size, 10)
	}
	return [][2]string{
		{"FERRY_HOOK_NAME", hook},
		{"FERRY_EVENT", m.Name},
		{"FERRY_ID", e.ID},
		{"FERRY_TRY", strconv.Itoa(m.Tries + 1)},
		{"FERRY_TIME", timestamp(e.Time)},
		{"FERRY_USER", e.User},
		{"FERRY_ADDRESS", addressOf(e)},
		{"FERRY_SESSION", strconv.FormatUint(e.Session, 10)},
		{"FERRY_PATH", e.Path},
		{"FERRY_TO", e.To},
		{"FERRY_PREVIOUS_NAMES", strings.Join(e.Before, "\n")},
		{"FERRY_REMOTE", e.Remote},
		{"FERRY_REMOTE_PATH", e.Name},
		{"FERRY_SIZE", size},
		{"FERRY_BYTES", strconv.FormatInt(e.Bytes, 10)},
		{"FERRY_DURATION", strconv.FormatFloat(e.Duration.Seconds(), 'f', -1, 64)},
		{"FERRY_DIGEST", e.Digest},
		{"FERRY_VERSION", e.Version},
		{"FERRY_MTIME", timestamp(e.ModTime)},
		{"FERRY_RESULT", e.Result.String()},
		{"FERRY_CAUSE", e.Cause},
	}
}

// sftpgoActions are the names of SFTPGo; what it has no name for keeps its own.
var sftpgoActions = map[string]string{
	"upload.received": "upload", "upload.stored": "upload", "upload.refused": "upload", "upload.aborted": "upload",
	"pre.upload": "pre-upload", "pre.download": "pre-download", "pre.delete": "pre-delete",
}

// sftpgoProviders are the numbers of SFTPGo for types of remotes.
var sftpgoProviders = map[string]string{"local": "0", "s3": "1", "google cloud storage": "2", "gcs": "2", "azureblob": "3", "sftp": "5", "http": "6"}

// sftpgoVariables are those that SFTPGo sets for its custom actions.
func sftpgoVariables(m Message, add func(name, value string)) {
	e := m.Event
	action := sftpgoActions[m.Name]
	if action == "" {
		action = m.Name
	}
	status := "1"
	if e.Kind == events.UploadRefused || e.Kind == events.UploadAborted || e.Result != events.OK {
		status = "2"
	}
	add("SFTPGO_ACTION", action)
	for _, v := range [][2]string{
		{"USERNAME", e.User}, {"PATH", localName(m)}, {"TARGET", e.To}, {"VIRTUAL_PATH", e.Path}, {"VIRTUAL_TARGET", e.To},
		{"SSH_CMD", ""}, {"FILE_SIZE", strconv.FormatInt(max(e.Size, 0), 10)},
		{"ELAPSED", strconv.FormatInt(e.Duration.Milliseconds(), 10)},
		{"FS_PROVIDER", sftpgoProviders[e.Remote]}, {"BUCKET", ""}, {"ENDPOINT", ""}, {"STATUS", status},
		{"PROTOCOL", "FTP"}, {"IP", addressOf(e)}, {"SESSION_ID", strconv.FormatUint(e.Session, 10)},
		{"OPEN_FLAGS", "0"}, {"ROLE", ""}, {"TIMESTAMP", strconv.FormatInt(e.Time.UnixNano(), 10)}, {"METADATA", "{}"},
	} {
		add("SFTPGO_ACTION_"+v[0], v[1])
	}
}

// pureVariables are those that pure-uploadscript sets.
func pureVariables(e *events.Event, add func(name, value string)) {
	add("UPLOAD_SIZE", strconv.FormatInt(max(e.Size, 0), 10))
	add("UPLOAD_PERMS", "644")
	add("UPLOAD_UID", strconv.Itoa(os.Getuid()))
	add("UPLOAD_GID", strconv.Itoa(os.Getgid()))
	add("UPLOAD_USER", os.Getenv("USER"))
	add("UPLOAD_GROUP", "")
	add("UPLOAD_VUSER", e.User)
}
