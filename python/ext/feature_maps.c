/* feature_maps.c: passes through parts of a model, and the ascent of feature maps. */
#include "common.h"

/* ---- Parts of models ---- */

/* Shape (rows, positions, channels) of what layers first ... last - 1 write for inputs (rows, length, channels); -1 with
 * an exception set where they do not fit. */
static int part_shape(model_object *model, long long first, long long last, const array_view *inputs, int64_t shape[3]) {
    int64_t channels;
    int32_t status = dm_model_part_shape(model->handle, first, last, inputs->shape[1], &channels, &shape[1], &shape[2]);
    if (status != DM_OK) {
        raise_status(state_of_type(Py_TYPE((PyObject *)model)), status);
        return -1;
    }
    if (channels != inputs->shape[2]) {
        PyErr_Format(PyExc_TypeError, "inputs must have %lld channels; got %lld", (long long)channels,
                     (long long)inputs->shape[2]);
        return -1;
    }
    shape[0] = inputs->shape[0];
    return 0;
}

PyObject *model_part_outputs(PyObject *self, PyObject *args, PyObject *keywords) {
    static char *names[] = {"first", "last", "inputs", "threads", NULL};
    model_object *model = model_checked(self);
    PyObject *given, *result = NULL;
    long long first, last;
    int threads;
    array_view inputs;
    int64_t shape[3];
    void *outputs;
    if (model == NULL
        || !PyArg_ParseTupleAndKeywords(args, keywords, "LLOi", names, &first, &last, &given, &threads)
        || array_view_get(&inputs, given, "inputs", TYPE_FLOAT32, 3, 0) < 0)
        return NULL;
    int32_t status = DM_OK;
    if (part_shape(model, first, last, &inputs, shape) == 0
        && (result = array_new(TYPE_FLOAT32, 3, shape, &outputs)) != NULL)
        WITH_LOCK(model->lock, status,
                  dm_model_part_outputs(model->handle, first, last, inputs.data, inputs.shape[0], inputs.shape[1],
                                        threads, outputs));
    array_view_release(&inputs);
    if (status == DM_OK) return result;
    Py_DECREF(result);
    return raise_status(state_of_type(Py_TYPE(self)), status);
}

PyObject *model_part_gradient(PyObject *self, PyObject *args, PyObject *keywords) {
    static char *names[] = {"first", "last", "inputs", "output_gradient", "threads", NULL};
    model_object *model = model_checked(self);
    PyObject *given, *given_gradient, *result = NULL;
    long long first, last;
    int threads;
    array_view inputs, outer;
    int64_t shape[3];
    void *gradient;
    if (model == NULL
        || !PyArg_ParseTupleAndKeywords(args, keywords, "LLOOi", names, &first, &last, &given, &given_gradient,
                                        &threads)
        || array_view_get(&inputs, given, "inputs", TYPE_FLOAT32, 3, 0) < 0)
        return NULL;
    if (array_view_get(&outer, given_gradient, "output_gradient", TYPE_FLOAT32, 3, 0) < 0) {
        array_view_release(&inputs);
        return NULL;
    }
    int32_t status = DM_OK;
    if (part_shape(model, first, last, &inputs, shape) == 0) {
        if (outer.shape[0] != shape[0] || outer.shape[1] != shape[1] || outer.shape[2] != shape[2])
            PyErr_SetString(PyExc_TypeError, "output_gradient must have the shape of the layers' output");
        else if ((result = array_new(TYPE_FLOAT32, 3, inputs.shape, &gradient)) != NULL)
            WITH_LOCK(model->lock, status,
                      dm_model_part_gradient(model->handle, first, last, inputs.data, outer.data, inputs.shape[0],
                                             inputs.shape[1], threads, gradient));
    }
    array_view_release(&inputs);
    array_view_release(&outer);
    if (status == DM_OK) return result;
    Py_DECREF(result);
    return raise_status(state_of_type(Py_TYPE(self)), status);
}

/* ---- Ascent ---- */

enum { MAPS, BEST_MAPS, TARGETS, L2, OBJECTIVES, SCORES, HIGHEST_SCORES, STEPS, WAITS, STATES, ARRAY_COUNT };

static const struct {
    const char *name;
    element_type type;
    int rank, writable;
} arrays[ARRAY_COUNT] = {
    [MAPS] = {"maps", TYPE_FLOAT32, 3, 1},           [BEST_MAPS] = {"best_maps", TYPE_FLOAT32, 3, 1},
    [TARGETS] = {"targets", TYPE_INT64, 1, 0},       [L2] = {"l2", TYPE_FLOAT32, 1, 0},
    [OBJECTIVES] = {"objectives", TYPE_FLOAT64, 1, 1}, [SCORES] = {"scores", TYPE_FLOAT32, 1, 1},
    [HIGHEST_SCORES] = {"highest_scores", TYPE_FLOAT32, 1, 1},
    [STEPS] = {"steps", TYPE_INT64, 1, 1},           [WAITS] = {"waits", TYPE_INT64, 1, 1},
    [STATES] = {"states", TYPE_UINT8, 1, 1},
};

static void release_views(array_view *views) {
    for (int i = 0; i < ARRAY_COUNT; i++) array_view_release(&views[i]);
}

/* Views the arrays of an ascent and compares their shapes; -1 with an exception set, nothing then to be released. */
static int view_ascent(array_view *views, PyObject **given) {
    for (int i = 0; i < ARRAY_COUNT; i++) views[i] = (array_view){0};
    for (int i = 0; i < ARRAY_COUNT; i++) {
        if (array_view_get(&views[i], given[i], arrays[i].name, arrays[i].type, arrays[i].rank, arrays[i].writable) < 0) {
            release_views(views);
            return -1;
        }
    }
    const int64_t *shape = views[MAPS].shape;
    int fits = 1;
    for (int i = 0; i < ARRAY_COUNT; i++)
        for (int axis = 0; axis < views[i].rank; axis++) fits = fits && views[i].shape[axis] == shape[axis];
    if (fits) return 0;
    PyErr_SetString(PyExc_TypeError, "maps and best_maps must be (R, W, K), all other arrays (R,)");
    release_views(views);
    return -1;
}

/* The engine trusts that the maps have the channels of the layer that reads them. */
static int check_channels(model_object *model, const dm_feature_map_options *options, const array_view *maps) {
    int64_t layers = 0, shape[3];
    char name[64];
    while (dm_model_layer_name(model->handle, layers, name, sizeof name) == DM_OK) layers++;
    return part_shape(model, options->first_layer, layers, maps, shape);
}

PyObject *model_climb(PyObject *self, PyObject *args, PyObject *keywords) {
    static char *names[] = {"maps", "best_maps", "targets", "l2", "objectives", "scores", "highest_scores", "steps",
                            "waits", "states", "n_steps", "first_layer", "learning_rate", "decay_start", "decay_power",
                            "decay_floor", "patience", "max_steps", "threads", NULL};
    model_object *model = model_checked(self);
    PyObject *given[ARRAY_COUNT];
    long long steps, first, start, patience, limit;
    int threads;
    dm_feature_map_options options;
    dm_feature_map_options_init(&options);
    if (model == NULL
        || !PyArg_ParseTupleAndKeywords(args, keywords, "OOOOOOOOOOL$LfLffLLi", names, &given[MAPS], &given[BEST_MAPS],
                                        &given[TARGETS], &given[L2], &given[OBJECTIVES], &given[SCORES],
                                        &given[HIGHEST_SCORES], &given[STEPS], &given[WAITS], &given[STATES], &steps,
                                        &first, &options.learning_rate, &start, &options.decay_power,
                                        &options.decay_floor, &patience, &limit, &threads))
        return NULL;
    options.first_layer = first;
    options.decay_start = start;
    options.patience = patience;
    options.max_steps = limit;
    array_view views[ARRAY_COUNT];
    if (view_ascent(views, given) < 0) return NULL;
    if (check_channels(model, &options, &views[MAPS]) < 0) {
        release_views(views);
        return NULL;
    }
    dm_feature_maps maps = {
        .count = views[MAPS].shape[0], .length = views[MAPS].shape[1], .targets = views[TARGETS].data,
        .l2 = views[L2].data, .maps = views[MAPS].data, .best_maps = views[BEST_MAPS].data,
        .objectives = views[OBJECTIVES].data, .scores = views[SCORES].data,
        .highest_scores = views[HIGHEST_SCORES].data, .steps = views[STEPS].data, .waits = views[WAITS].data,
        .states = views[STATES].data,
    };
    int64_t climbing = 0;
    int32_t status;
    WITH_LOCK(model->lock, status, dm_feature_maps_climb(model->handle, &options, &maps, steps, threads, &climbing));
    release_views(views);
    if (status != DM_OK) return raise_status(state_of_type(Py_TYPE(self)), status);
    return PyLong_FromLongLong(climbing);
}
