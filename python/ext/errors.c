/* errors.c: the one place where a status of the engine becomes a Python exception. */
#include "common.h"

static const char *const class_names[DM_ERROR_INTERNAL + 1] = {
    [DM_OK] = NULL,
    [DM_ERROR_INVALID_ARGUMENT] = "InvalidArgumentError",
    [DM_ERROR_SHAPE] = "ShapeError",
    [DM_ERROR_NOT_FITTED] = "NotFittedError",
    [DM_ERROR_FILE] = "FileFormatError",
    [DM_ERROR_MEMORY] = "OutOfMemoryError",
    [DM_ERROR_INTERNAL] = "InternalError",
};

int errors_load(module_state *state) {
    PyObject *module = PyImport_ImportModule("deepmotif.exceptions");
    if (module == NULL) return -1;
    for (int status = 1; status <= DM_ERROR_INTERNAL; status++) {
        state->errors[status] = PyObject_GetAttrString(module, class_names[status]);
        if (state->errors[status] == NULL) {
            Py_DECREF(module);
            return -1;
        }
    }
    Py_DECREF(module);
    return 0;
}

PyObject *raise_status(const module_state *state, int32_t status) {
    if (status < 1 || status > DM_ERROR_INTERNAL) status = DM_ERROR_INTERNAL;
    PyErr_SetString(state->errors[status], dm_error_message());
    return NULL;
}
