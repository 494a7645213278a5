/* common.h: what every file of the extension shares. The extension passes NumPy arrays to the engine, nothing more. */
#ifndef DEEPMOTIF_EXT_COMMON_H
#define DEEPMOTIF_EXT_COMMON_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "deepmotif.h"

/* ---- errors.c ---- */

/* The module's state: exception classes and types, looked up once at import. */
typedef struct {
    PyObject *errors[DM_ERROR_INTERNAL + 1]; /* exception class of a status */
    PyTypeObject *model_type;
    PyTypeObject *trainer_type;
    PyTypeObject *scanner_type;
} module_state;

module_state *state_of_type(PyTypeObject *type);
module_state *state_of_module(PyObject *module);

/* Looks up the exception classes of deepmotif.exceptions; -1 with an exception set on failure. */
int errors_load(module_state *state);

/* Raises the exception of a status with the engine's message; returns NULL. */
PyObject *raise_status(const module_state *state, int32_t status);

/* ---- arrays.c: the only file that speaks NumPy ---- */

int arrays_import(void);

typedef enum { TYPE_UINT8, TYPE_INT32, TYPE_INT64, TYPE_FLOAT32, TYPE_FLOAT64 } element_type;

/* A borrowed view of a C-contiguous, aligned, native array; keeps its owner alive until released. */
typedef struct {
    PyObject *owner;
    void *data;
    int rank;
    int64_t shape[4];
} array_view;

/* Views `object` as an array of exactly this type and rank, or raises TypeError naming the argument: converting is
 * the Python layer's business. writable: the engine writes into it. */
int array_view_get(array_view *view, PyObject *object, const char *name, element_type type, int rank, int writable);
void array_view_release(array_view *view);

/* 1 where the object is an array of this type, in whatever order of bytes. */
int array_is(PyObject *object, element_type type);

/* A new array of undefined contents; *data points at them. */
PyObject *array_new(element_type type, int rank, const int64_t *shape, void **data);

/* X of the engine: uint8 codes (N, L) or float32 letters (N, L, 4). */
typedef struct {
    array_view view;
    dm_sequences sequences;
} sequences_view;
int sequences_view_get(sequences_view *view, PyObject *object, const char *name);
void sequences_view_release(sequences_view *view);

/* ---- calls ---- */

/* Runs `call` (an expression of type int32_t) without the GIL and stores its status. */
#define WITHOUT_GIL(status, call)        \
    do {                                 \
        Py_BEGIN_ALLOW_THREADS           \
        (status) = (call);               \
        Py_END_ALLOW_THREADS             \
    } while (0)

/* The same while holding an object's lock, taken after the GIL is let go so that waiting blocks nobody else. */
#define WITH_LOCK(lock, status, call)               \
    do {                                            \
        Py_BEGIN_ALLOW_THREADS                      \
        PyThread_acquire_lock((lock), WAIT_LOCK);   \
        (status) = (call);                          \
        PyThread_release_lock(lock);                \
        Py_END_ALLOW_THREADS                        \
    } while (0)

/* ---- objects ---- */

typedef struct {
    PyObject_HEAD
    dm_model *handle;
    PyThread_type_lock lock;
} model_object;

/* The object as a model, NULL with an exception set where __init__ never ran. */
model_object *model_checked(PyObject *self);

/* Scores per sequence of a model, -1 with an exception set on failure. */
int64_t model_classes(model_object *model, int64_t length);

/* Methods of Model that views.c adds (input_gradient, saliency, temporal_scores, class_optimization). */
PyObject *model_input_gradient(PyObject *self, PyObject *args, PyObject *keywords);
PyObject *model_saliency(PyObject *self, PyObject *args, PyObject *keywords);
PyObject *model_temporal_scores(PyObject *self, PyObject *args, PyObject *keywords);
PyObject *model_class_optimization(PyObject *self, PyObject *args, PyObject *keywords);

/* Methods of Model that feature_maps.c adds (part_outputs, part_gradient, climb). */
PyObject *model_part_outputs(PyObject *self, PyObject *args, PyObject *keywords);
PyObject *model_part_gradient(PyObject *self, PyObject *args, PyObject *keywords);
PyObject *model_climb(PyObject *self, PyObject *args, PyObject *keywords);
/* Methods of Model that channels.c adds. */
PyObject *model_channel_peaks(PyObject *self, PyObject *args, PyObject *keywords);
PyObject *model_ablated_scores(PyObject *self, PyObject *args, PyObject *keywords);

extern PyType_Spec model_type_spec;
extern PyType_Spec trainer_type_spec;
extern PyType_Spec scanner_type_spec;

/* Module-level functions of one room each, ended by a null entry. */
extern PyMethodDef engine_functions[];
extern PyMethodDef sequence_functions[];
extern PyMethodDef metric_functions[];
extern PyMethodDef motif_functions[];
extern PyMethodDef tomtom_functions[];
extern PyMethodDef view_functions[];

#define KEYWORD_METHOD(name, function, text) \
    {name, (PyCFunction)(void (*)(void))(function), METH_VARARGS | METH_KEYWORDS, text}

#endif
