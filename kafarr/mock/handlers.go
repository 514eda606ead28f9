package mock

import (
	"net/http"
	"strconv"
)

func (r *registryServer) getSubjects(w http.ResponseWriter, q *http.Request) {
	answer(w, http.StatusOK, r.names(wants(q, "deleted")))
}

func (r *registryServer) getVersions(w http.ResponseWriter, q *http.Request) {
	list := r.list(q.PathValue("subject"), wants(q, "deleted"))
	if len(list) == 0 {
		noSubject(w, q)
		return
	}
	numbers := make([]int, len(list))
	for i, v := range list {
		numbers[i] = v.number
	}
	answer(w, http.StatusOK, numbers)
}

func (r *registryServer) postVersion(w http.ResponseWriter, q *http.Request) {
	registered, ok := readSchema(w, q)
	if !ok {
		return
	}
	id, refused := r.register(q.PathValue("subject"), registered)
	if refused != nil {
		fail(w, 42201, "Invalid schema: %v", refused)
		return
	}
	answer(w, http.StatusOK, map[string]any{"id": id, "guid": registered.guid()})
}

func (r *registryServer) lookUp(w http.ResponseWriter, q *http.Request) {
	wanted, ok := readSchema(w, q)
	if !ok {
		return
	}
	subject, deleted := q.PathValue("subject"), wants(q, "deleted")
	if len(r.list(subject, deleted)) == 0 {
		noSubject(w, q)
		return
	}
	v, ok := r.lookup(subject, wanted, deleted)
	if !ok {
		fail(w, 40403, "Schema not found")
		return
	}
	r.answerVersion(w, subject, v)
}

func (r *registryServer) getVersion(w http.ResponseWriter, q *http.Request) {
	if v, ok := r.pathVersion(w, q); ok {
		r.answerVersion(w, q.PathValue("subject"), v)
	}
}

func (r *registryServer) getVersionText(w http.ResponseWriter, q *http.Request) {
	if v, ok := r.pathVersion(w, q); ok {
		found, _ := r.byID(v.id)
		answerText(w, found.Text)
	}
}

func (r *registryServer) answerVersion(w http.ResponseWriter, subject string, v version) {
	found, _ := r.byID(v.id)
	answer(w, http.StatusOK, struct {
		Subject string `json:"subject"`
		Version int    `json:"version"`
		ID      int    `json:"id"`
		shownSchema
	}{subject, v.number, v.id, found.shown()})
}

// pathVersion finds the version that the path names by its number or as "latest", or -1.
func (r *registryServer) pathVersion(w http.ResponseWriter, q *http.Request) (version, bool) {
	subject, text, deleted := q.PathValue("subject"), q.PathValue("version"), wants(q, "deleted")
	number := -1
	if text != "latest" && text != "-1" {
		var err error
		if number, err = strconv.Atoi(text); err != nil || number < 1 {
			fail(w, 42202, "The specified version '%s' is not a valid version id.", text)
			return version{}, false
		}
	}
	if len(r.list(subject, deleted)) == 0 {
		noSubject(w, q)
		return version{}, false
	}
	r.mu.Lock()
	v, ok := r.find(subject, number, deleted)
	r.mu.Unlock()
	if !ok {
		fail(w, 40402, "Version %s not found.", text)
	}
	return v, ok
}

func (r *registryServer) deleteSubject(w http.ResponseWriter, q *http.Request) {
	removed := r.remove(q.PathValue("subject"), 0, wants(q, "permanent"))
	if len(removed) == 0 {
		noSubject(w, q)
		return
	}
	answer(w, http.StatusOK, removed)
}

func (r *registryServer) deleteVersion(w http.ResponseWriter, q *http.Request) {
	permanent := wants(q, "permanent")
	if permanent {
		query := q.URL.Query()
		query.Set("deleted", "true")
		q.URL.RawQuery = query.Encode()
	}
	v, ok := r.pathVersion(w, q)
	if !ok {
		return
	}
	if len(r.remove(q.PathValue("subject"), v.number, permanent)) == 0 {
		fail(w, 40407, "Version %d was not deleted first before being permanently deleted", v.number)
		return
	}
	answer(w, http.StatusOK, v.number)
}

func (r *registryServer) getSchema(w http.ResponseWriter, q *http.Request) {
	if found, _, ok := r.pathSchema(w, q); ok {
		answer(w, http.StatusOK, found.shown())
	}
}

func (r *registryServer) getSchemaByGUID(w http.ResponseWriter, q *http.Request) {
	found, ok := r.byGUID(q.PathValue("guid"))
	if !ok {
		fail(w, 40403, "Schema %s not found", q.PathValue("guid"))
		return
	}
	answer(w, http.StatusOK, found.shown())
}

func (r *registryServer) getSchemaText(w http.ResponseWriter, q *http.Request) {
	if found, _, ok := r.pathSchema(w, q); ok {
		answerText(w, found.Text)
	}
}

func (r *registryServer) getUsers(w http.ResponseWriter, q *http.Request) {
	if _, id, ok := r.pathSchema(w, q); ok {
		answer(w, http.StatusOK, r.usersOf(id))
	}
}

func (r *registryServer) pathSchema(w http.ResponseWriter, q *http.Request) (schema, int, bool) {
	id, err := strconv.Atoi(q.PathValue("id"))
	if err != nil {
		fail(w, http.StatusNotFound, "HTTP 404 Not Found")
		return schema{}, 0, false
	}
	found, ok := r.byID(id)
	if !ok {
		fail(w, 40403, "Schema %d not found", id)
	}
	return found, id, ok
}

func (r *registryServer) getConfig(w http.ResponseWriter, q *http.Request) {
	subject := q.PathValue("subject")
	level, ok := r.level(subject)
	if !ok && wants(q, "defaultToGlobal") {
		level, ok = r.level("")
	}
	if !ok {
		fail(w, 40408, "Subject '%s' does not have subject-level compatibility configured", subject)
		return
	}
	answer(w, http.StatusOK, map[string]string{"compatibilityLevel": level})
}

func (r *registryServer) putConfig(w http.ResponseWriter, q *http.Request) {
	var config struct {
		Compatibility string `json:"compatibility"`
	}
	if !read(w, q, &config) {
		return
	}
	switch config.Compatibility {
	case "NONE", "BACKWARD", "BACKWARD_TRANSITIVE", "FORWARD", "FORWARD_TRANSITIVE", "FULL", "FULL_TRANSITIVE":
		r.setLevel(q.PathValue("subject"), config.Compatibility)
		answer(w, http.StatusOK, config)
	default:
		fail(w, 42203, "Invalid compatibility level")
	}
}
