/* model.c: the type Model, a network's handle with its lock. */
#include "common.h"

#include <string.h>

/* ---- Layer options from dicts ---- */

static int read_integer(PyObject *dict, const char *key, int64_t *value) {
    PyObject *item = PyDict_GetItemString(dict, key);
    if (item == NULL) return 0;
    long long number = PyLong_AsLongLong(item);
    if (number == -1 && PyErr_Occurred()) return -1;
    *value = number;
    return 0;
}

static int read_int32(PyObject *dict, const char *key, int32_t *value) {
    int64_t wide = *value;
    if (read_integer(dict, key, &wide) < 0) return -1;
    if (wide < INT32_MIN || wide > INT32_MAX) {
        PyErr_Format(PyExc_OverflowError, "layer field %s is out of range", key);
        return -1;
    }
    *value = (int32_t)wide;
    return 0;
}

static int read_float(PyObject *dict, const char *key, float *value) {
    PyObject *item = PyDict_GetItemString(dict, key);
    if (item == NULL) return 0;
    double number = PyFloat_AsDouble(item);
    if (number == -1 && PyErr_Occurred()) return -1;
    *value = (float)number;
    return 0;
}

static int refuse_unknown_fields(PyObject *dict) {
    static const char *const fields[] = {
        "kind",          "padding",     "units",       "width",         "stride", "dilation", "bidirectional",
        "return_sequences", "split_input", "rate",     "left_padding",  "right_padding", "bias", "ceil",
        "count_padding", "order",       "reset_after", "approximate",   "slope",  "epsilon",  "body_count",
        "shortcut_count", "momentum"};
    PyObject *key, *value;
    Py_ssize_t position = 0;
    while (PyDict_Next(dict, &position, &key, &value)) {
        int known = 0;
        for (size_t i = 0; i < sizeof fields / sizeof *fields && !known; i++)
            known = PyUnicode_Check(key) && PyUnicode_CompareWithASCIIString(key, fields[i]) == 0;
        if (!known) {
            PyErr_Format(PyExc_TypeError, "a layer has no field %R", key);
            return -1;
        }
    }
    return 0;
}

static int read_layer(PyObject *dict, dm_layer_options *options) {
    if (!PyDict_Check(dict)) {
        PyErr_SetString(PyExc_TypeError, "layers must be dicts");
        return -1;
    }
    int32_t kind = 0;
    if (refuse_unknown_fields(dict) < 0 || read_int32(dict, "kind", &kind) < 0) return -1;
    dm_layer_options_init(options, kind);
    const struct {
        const char *name;
        int32_t *value;
    } flags[] = {{"padding", &options->padding},
                 {"bidirectional", &options->bidirectional},
                 {"return_sequences", &options->return_sequences},
                 {"split_input", &options->split_input},
                 {"bias", &options->bias},
                 {"ceil", &options->ceil},
                 {"count_padding", &options->count_padding},
                 {"order", &options->order},
                 {"reset_after", &options->reset_after},
                 {"approximate", &options->approximate}};
    const struct {
        const char *name;
        int64_t *value;
    } sizes[] = {{"units", &options->units},
                 {"width", &options->width},
                 {"stride", &options->stride},
                 {"dilation", &options->dilation},
                 {"left_padding", &options->left_padding},
                 {"right_padding", &options->right_padding},
                 {"body_count", &options->body_count},
                 {"shortcut_count", &options->shortcut_count}};
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++)
        if (read_int32(dict, flags[i].name, flags[i].value) < 0) return -1;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        if (read_integer(dict, sizes[i].name, sizes[i].value) < 0) return -1;
    if (read_float(dict, "rate", &options->rate) < 0 || read_float(dict, "slope", &options->slope) < 0
        || read_float(dict, "epsilon", &options->epsilon) < 0
        || read_float(dict, "momentum", &options->momentum) < 0)
        return -1;
    return 0;
}

/* ---- Life ---- */

static int model_init(PyObject *self, PyObject *args, PyObject *keywords) {
    static char *names[] = {"layers", "length", "seed", NULL};
    model_object *model = (model_object *)self;
    PyObject *list;
    long long length;
    unsigned long long seed;
    if (!PyArg_ParseTupleAndKeywords(args, keywords, "O!LK", names, &PyList_Type, &list, &length, &seed)) return -1;
    if (model->handle != NULL) {
        PyErr_SetString(PyExc_RuntimeError, "a Model is initialised once");
        return -1;
    }
    Py_ssize_t count = PyList_Size(list);
    dm_layer_options *options = PyMem_Calloc((size_t)count + 1, sizeof *options);
    if (options == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    for (Py_ssize_t i = 0; i < count; i++) {
        if (read_layer(PyList_GetItem(list, i), &options[i]) < 0) {
            PyMem_Free(options);
            return -1;
        }
    }
    int32_t status;
    WITHOUT_GIL(status, dm_model_create(options, count, length, seed, &model->handle));
    PyMem_Free(options);
    if (status != DM_OK) {
        raise_status(state_of_type(Py_TYPE(self)), status);
        return -1;
    }
    return 0;
}

static PyObject *model_new(PyTypeObject *type, PyObject *args, PyObject *keywords) {
    (void)args, (void)keywords;
    allocfunc allocate = (allocfunc)PyType_GetSlot(type, Py_tp_alloc);
    model_object *self = (model_object *)allocate(type, 0);
    if (self == NULL) return NULL;
    self->handle = NULL;
    self->lock = PyThread_allocate_lock();
    if (self->lock == NULL) {
        Py_DECREF(self);
        return PyErr_NoMemory();
    }
    return (PyObject *)self;
}

static void model_dealloc(PyObject *self) {
    model_object *model = (model_object *)self;
    PyTypeObject *type = Py_TYPE(self);
    dm_model_free(model->handle);
    if (model->lock != NULL) PyThread_free_lock(model->lock);
    freefunc release = (freefunc)PyType_GetSlot(type, Py_tp_free);
    release(self);
    Py_DECREF(type);
}

model_object *model_checked(PyObject *self) {
    model_object *model = (model_object *)self;
    if (model->handle == NULL) {
        PyErr_SetString(PyExc_RuntimeError, "this Model was never initialised");
        return NULL;
    }
    return model;
}

/* ---- Description ---- */

static PyObject *model_layer_names(PyObject *self, void *unused) {
    (void)unused;
    model_object *model = model_checked(self);
    if (model == NULL) return NULL;
    PyObject *names = PyList_New(0);
    char name[64];
    for (int64_t i = 0; names != NULL; i++) {
        if (dm_model_layer_name(model->handle, i, name, sizeof name) != DM_OK) break;
        PyObject *text = PyUnicode_FromString(name);
        if (text == NULL || PyList_Append(names, text) < 0) Py_CLEAR(names);
        Py_XDECREF(text);
    }
    return names;
}

static PyObject *model_parameter_info(PyObject *self, void *unused) {
    (void)unused;
    model_object *model = model_checked(self);
    if (model == NULL) return NULL;
    int64_t arrays, scalars, shape[3], rank;
    int32_t status = dm_model_parameter_count(model->handle, &arrays, &scalars);
    if (status != DM_OK) return raise_status(state_of_type(Py_TYPE(self)), status);
    PyObject *list = PyList_New(0);
    /* Sixteen blocks within each other, each with its kind, its number and "shortcut". */
    char name[1024];
    for (int64_t i = 0; i < arrays && list != NULL; i++) {
        status = dm_model_parameter_info(model->handle, i, name, sizeof name, shape, &rank);
        if (status != DM_OK) {
            Py_DECREF(list);
            return raise_status(state_of_type(Py_TYPE(self)), status);
        }
        PyObject *dimensions = PyTuple_New((Py_ssize_t)rank);
        for (int64_t d = 0; dimensions != NULL && d < rank; d++) {
            PyObject *extent = PyLong_FromLongLong(shape[d]);
            if (extent == NULL || PyTuple_SetItem(dimensions, (Py_ssize_t)d, extent) < 0) Py_CLEAR(dimensions);
        }
        PyObject *entry = dimensions == NULL ? NULL : Py_BuildValue("(sN)", name, dimensions);
        if (entry == NULL || PyList_Append(list, entry) < 0) Py_CLEAR(list);
        Py_XDECREF(entry);
    }
    return list;
}

static PyObject *model_n_parameters(PyObject *self, void *unused) {
    (void)unused;
    model_object *model = model_checked(self);
    if (model == NULL) return NULL;
    int64_t arrays, scalars;
    int32_t status = dm_model_parameter_count(model->handle, &arrays, &scalars);
    return status == DM_OK ? PyLong_FromLongLong(scalars) : raise_status(state_of_type(Py_TYPE(self)), status);
}

static PyObject *model_minimum_length(PyObject *self, void *unused) {
    (void)unused;
    model_object *model = model_checked(self);
    if (model == NULL) return NULL;
    int64_t length;
    int32_t status = dm_model_minimum_length(model->handle, &length);
    return status == DM_OK ? PyLong_FromLongLong(length) : raise_status(state_of_type(Py_TYPE(self)), status);
}

static PyObject *model_layer_shape(PyObject *self, PyObject *args, PyObject *keywords) {
    static char *names[] = {"layer", "length", NULL};
    long long layer, length;
    model_object *model = model_checked(self);
    if (model == NULL || !PyArg_ParseTupleAndKeywords(args, keywords, "LL", names, &layer, &length)) return NULL;
    int64_t positions, channels;
    int32_t status = dm_model_layer_shape(model->handle, layer, length, &positions, &channels);
    if (status != DM_OK) return raise_status(state_of_type(Py_TYPE(self)), status);
    return Py_BuildValue("(LL)", (long long)positions, (long long)channels);
}

int64_t model_classes(model_object *model, int64_t length) {
    int64_t positions, channels;
    int32_t status = dm_model_layer_shape(model->handle, -1, length, &positions, &channels);
    if (status == DM_OK) return positions * channels;
    raise_status(state_of_type(Py_TYPE((PyObject *)model)), status);
    return -1;
}

/* ---- Parameters ---- */

static PyObject *model_get_parameters(PyObject *self, PyObject *unused) {
    (void)unused;
    model_object *model = model_checked(self);
    if (model == NULL) return NULL;
    int64_t arrays, scalars;
    void *values;
    int32_t status = dm_model_parameter_count(model->handle, &arrays, &scalars);
    if (status != DM_OK) return raise_status(state_of_type(Py_TYPE(self)), status);
    PyObject *result = array_new(TYPE_FLOAT32, 1, &scalars, &values);
    if (result == NULL) return NULL;
    WITH_LOCK(model->lock, status, dm_model_get_parameters(model->handle, values, scalars));
    if (status == DM_OK) return result;
    Py_DECREF(result);
    return raise_status(state_of_type(Py_TYPE(self)), status);
}

static PyObject *model_set_parameters(PyObject *self, PyObject *values) {
    model_object *model = model_checked(self);
    array_view view;
    if (model == NULL || array_view_get(&view, values, "values", TYPE_FLOAT32, 1, 0) < 0) return NULL;
    int32_t status;
    WITH_LOCK(model->lock, status, dm_model_set_parameters(model->handle, view.data, view.shape[0]));
    array_view_release(&view);
    if (status != DM_OK) return raise_status(state_of_type(Py_TYPE(self)), status);
    Py_RETURN_NONE;
}

/* ---- Inference ---- */

static PyObject *model_scores(PyObject *self, PyObject *args, PyObject *keywords) {
    static char *names[] = {"X", "threads", NULL};
    model_object *model = model_checked(self);
    PyObject *X;
    int threads;
    sequences_view view;
    if (model == NULL || !PyArg_ParseTupleAndKeywords(args, keywords, "Oi", names, &X, &threads)) return NULL;
    if (sequences_view_get(&view, X, "X") < 0) return NULL;
    int64_t shape[2] = {view.sequences.count, model_classes(model, view.sequences.length)};
    void *scores;
    PyObject *result = shape[1] < 0 ? NULL : array_new(TYPE_FLOAT32, 2, shape, &scores);
    if (result != NULL) {
        int32_t status;
        WITH_LOCK(model->lock, status, dm_model_scores(model->handle, &view.sequences, threads, scores));
        if (status != DM_OK) {
            Py_CLEAR(result);
            raise_status(state_of_type(Py_TYPE(self)), status);
        }
    }
    sequences_view_release(&view);
    return result;
}

static PyObject *model_activations(PyObject *self, PyObject *args, PyObject *keywords) {
    static char *names[] = {"X", "layer", "threads", NULL};
    model_object *model = model_checked(self);
    PyObject *X;
    long long layer;
    int threads;
    sequences_view view;
    if (model == NULL || !PyArg_ParseTupleAndKeywords(args, keywords, "OLi", names, &X, &layer, &threads)) return NULL;
    if (sequences_view_get(&view, X, "X") < 0) return NULL;
    int64_t shape[3] = {view.sequences.count, 0, 0};
    void *values;
    PyObject *result = NULL;
    int32_t status = dm_model_layer_shape(model->handle, layer, view.sequences.length, &shape[1], &shape[2]);
    if (status == DM_OK && (result = array_new(TYPE_FLOAT32, 3, shape, &values)) != NULL)
        WITH_LOCK(model->lock, status, dm_model_activations(model->handle, &view.sequences, layer, threads, values));
    sequences_view_release(&view);
    if (status != DM_OK) {
        Py_CLEAR(result);
        raise_status(state_of_type(Py_TYPE(self)), status);
    }
    return result;
}

static PyGetSetDef properties[] = {
    {"layer_names", model_layer_names, NULL, "Names of the layers, kind and order.", NULL},
    {"parameter_info", model_parameter_info, NULL, "Name and shape of every parameter array.", NULL},
    {"n_parameters", model_n_parameters, NULL, "Number of scalars in all parameter arrays.", NULL},
    {"minimum_length", model_minimum_length, NULL, "Shortest sequence that the layers allow.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyMethodDef methods[] = {
    KEYWORD_METHOD("layer_shape", model_layer_shape, "Output positions and channels of a layer."),
    {"get_parameters", model_get_parameters, METH_NOARGS, "All parameters, concatenated, in PyTorch's layout."},
    {"set_parameters", model_set_parameters, METH_O, "Replace all parameters."},
    KEYWORD_METHOD("scores", model_scores, "Scores (N, C) before the output function."),
    KEYWORD_METHOD("activations", model_activations, "Output (N, positions, channels) of one layer."),
    KEYWORD_METHOD("input_gradient", model_input_gradient, "Gradient (N, L, 4) of a class."),
    KEYWORD_METHOD("saliency", model_saliency, "Gradient times input (N, L)."),
    KEYWORD_METHOD("temporal_scores", model_temporal_scores, "Probability (N, L) of a class on every cut."),
    KEYWORD_METHOD("class_optimization", model_class_optimization, "Steps of gradient ascent on the input."),
    KEYWORD_METHOD("part_outputs", model_part_outputs, "Outputs of layers first ... last - 1."),
    KEYWORD_METHOD("part_gradient", model_part_gradient, "Gradient of layers first ... last - 1."),
    KEYWORD_METHOD("climb", model_climb, "Steps of gradient ascent on feature maps."),
    KEYWORD_METHOD("channel_peaks", model_channel_peaks, "First maximum (N, K) of every channel: positions, values."),
    KEYWORD_METHOD("ablated_scores", model_ablated_scores, "Scores (N, K, C) with one channel at a time set to zero."),
    {NULL, NULL, 0, NULL},
};

static PyType_Slot slots[] = {
    {Py_tp_new, model_new},           {Py_tp_init, model_init},
    {Py_tp_dealloc, model_dealloc},   {Py_tp_methods, methods},
    {Py_tp_getset, properties},       {Py_tp_doc, "A network of the engine."},
    {0, NULL},
};

PyType_Spec model_type_spec = {
    .name = "deepmotif._native.Model",
    .basicsize = sizeof(model_object),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = slots,
};
