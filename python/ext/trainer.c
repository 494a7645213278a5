/* trainer.c: the type Trainer, the optimizer's state of one model. Calls take the model's lock. */
#include "common.h"

typedef struct {
    PyObject_HEAD
    dm_trainer *handle;
    model_object *model;
} trainer_object;

static PyObject *trainer_new(PyTypeObject *type, PyObject *args, PyObject *keywords) {
    (void)args, (void)keywords;
    allocfunc allocate = (allocfunc)PyType_GetSlot(type, Py_tp_alloc);
    trainer_object *self = (trainer_object *)allocate(type, 0);
    if (self == NULL) return NULL;
    self->handle = NULL;
    self->model = NULL;
    return (PyObject *)self;
}

/* The optimizer, which the defaults of the other options depend on: the keyword or Adam. */
static int optimizer_of(PyObject *keywords, int32_t *optimizer) {
    PyObject *given = keywords == NULL ? NULL : PyDict_GetItemString(keywords, "optimizer");
    if (given == NULL) return 0;
    long number = PyLong_AsLong(given);
    if (number == -1 && PyErr_Occurred()) return -1;
    /* What does not fit is no constant either; the engine says so. */
    *optimizer = number < INT32_MIN || number > INT32_MAX ? -1 : (int32_t)number;
    return 0;
}

static int trainer_init(PyObject *self, PyObject *args, PyObject *keywords) {
    static char *names[] = {"model",   "output",   "loss",         "optimizer", "strands",  "learning_rate", "beta1", "beta2",
                            "rho",     "epsilon",  "momentum",     "weight_decay", "l2",    "max_norm",
                            "gradient_clip", "seed", NULL};
    trainer_object *trainer = (trainer_object *)self;
    module_state *state = state_of_type(Py_TYPE(self));
    PyObject *model;
    int32_t optimizer = DM_OPTIMIZER_ADAM;
    dm_trainer_options options;
    if (optimizer_of(keywords, &optimizer) < 0) return -1;
    dm_trainer_options_init(&options, optimizer);
    unsigned long long seed = options.seed;
    int ignored;
    if (!PyArg_ParseTupleAndKeywords(args, keywords, "O!|$iiiiffffffffffK", names, state->model_type, &model,
                                     &options.output, &options.loss, &ignored, &options.strands,
                                     &options.learning_rate, &options.beta1, &options.beta2, &options.rho,
                                     &options.epsilon, &options.momentum, &options.weight_decay, &options.l2,
                                     &options.max_norm, &options.gradient_clip, &seed))
        return -1;
    if (trainer->handle != NULL) {
        PyErr_SetString(PyExc_RuntimeError, "a Trainer is initialised once");
        return -1;
    }
    if (model_checked(model) == NULL) return -1;
    options.seed = seed;
    int32_t status;
    WITH_LOCK(((model_object *)model)->lock, status,
              dm_trainer_create(((model_object *)model)->handle, &options, &trainer->handle));
    if (status != DM_OK) {
        raise_status(state, status);
        return -1;
    }
    Py_INCREF(model);
    trainer->model = (model_object *)model;
    return 0;
}

static void trainer_dealloc(PyObject *self) {
    trainer_object *trainer = (trainer_object *)self;
    PyTypeObject *type = Py_TYPE(self);
    dm_trainer_free(trainer->handle);
    Py_CLEAR(trainer->model);
    freefunc release = (freefunc)PyType_GetSlot(type, Py_tp_free);
    release(self);
    Py_DECREF(type);
}

static trainer_object *trainer_checked(PyObject *self) {
    trainer_object *trainer = (trainer_object *)self;
    if (trainer->handle == NULL) {
        PyErr_SetString(PyExc_RuntimeError, "this Trainer was never initialised");
        return NULL;
    }
    return trainer;
}

static PyObject *trainer_set_learning_rate(PyObject *self, PyObject *args, PyObject *keywords) {
    static char *names[] = {"learning_rate", NULL};
    trainer_object *trainer = trainer_checked(self);
    float rate;
    if (trainer == NULL || !PyArg_ParseTupleAndKeywords(args, keywords, "f", names, &rate)) return NULL;
    int32_t status;
    WITH_LOCK(trainer->model->lock, status, dm_trainer_set_learning_rate(trainer->handle, rate));
    if (status != DM_OK) return raise_status(state_of_type(Py_TYPE(self)), status);
    Py_RETURN_NONE;
}

/* What `run` and `gradient` read: sequences, their targets, weights of the classes or NULL. */
typedef struct {
    sequences_view sequences;
    array_view array; /* of the targets */
    dm_targets targets;
    array_view weights;
    int64_t classes;
} examples;

static void examples_release(examples *taken) {
    sequences_view_release(&taken->sequences);
    array_view_release(&taken->array);
    array_view_release(&taken->weights);
}

/* int32 (N,), uint8 (N, C) or float32 (N, C). */
static int targets_get(examples *taken, PyObject *targets) {
    element_type type = TYPE_INT32;
    if (array_is(targets, TYPE_UINT8)) type = TYPE_UINT8;
    if (array_is(targets, TYPE_FLOAT32)) type = TYPE_FLOAT32;
    if (array_view_get(&taken->array, targets, "targets", type, type == TYPE_INT32 ? 1 : 2, 0) < 0) return -1;
    if (taken->array.shape[0] != taken->sequences.sequences.count) {
        PyErr_SetString(PyExc_TypeError, "targets must have one entry a sequence");
        return -1;
    }
    taken->targets.labels = type == TYPE_INT32 ? taken->array.data : NULL;
    taken->targets.flags = type == TYPE_UINT8 ? taken->array.data : NULL;
    taken->targets.values = type == TYPE_FLOAT32 ? taken->array.data : NULL;
    taken->targets.columns = type == TYPE_INT32 ? 0 : taken->array.shape[1];
    return 0;
}

static int examples_get(examples *taken, trainer_object *trainer, PyObject *X, PyObject *targets, PyObject *weights) {
    taken->sequences.view.owner = taken->array.owner = taken->weights.owner = NULL;
    taken->weights.data = NULL;
    if (sequences_view_get(&taken->sequences, X, "X") < 0) return -1;
    if (targets_get(taken, targets) < 0) goto failed;
    taken->classes = model_classes(trainer->model, taken->sequences.sequences.length);
    if (taken->classes < 0) goto failed;
    if (weights != Py_None) {
        if (array_view_get(&taken->weights, weights, "weights", TYPE_FLOAT32, 1, 0) < 0) goto failed;
        if (taken->weights.shape[0] != taken->classes) {
            PyErr_SetString(PyExc_TypeError, "weights must have one entry a class");
            goto failed;
        }
    }
    return 0;
failed:
    examples_release(taken);
    return -1;
}

static PyObject *trainer_run(PyObject *self, PyObject *args, PyObject *keywords) {
    static char *names[] = {"X", "targets", "rows", "batch_size", "weights", "threads", NULL};
    trainer_object *trainer = trainer_checked(self);
    PyObject *X, *targets, *rows, *weights, *result = NULL;
    long long batch_size;
    int threads;
    examples taken;
    array_view order;
    if (trainer == NULL
        || !PyArg_ParseTupleAndKeywords(args, keywords, "OOOLOi", names, &X, &targets, &rows, &batch_size, &weights,
                                        &threads)
        || examples_get(&taken, trainer, X, targets, weights) < 0)
        return NULL;
    if (array_view_get(&order, rows, "rows", TYPE_INT64, 1, 0) == 0) {
        int64_t shape[2] = {order.shape[0], taken.classes};
        void *scores;
        double loss = 0, weight = 0;
        result = array_new(TYPE_FLOAT32, 2, shape, &scores);
        if (result != NULL) {
            int32_t status;
            WITH_LOCK(trainer->model->lock, status,
                      dm_trainer_run(trainer->handle, &taken.sequences.sequences, &taken.targets, order.data,
                                     order.shape[0], batch_size, taken.weights.data, threads, &loss, &weight, scores));
            if (status != DM_OK) {
                Py_CLEAR(result);
                raise_status(state_of_type(Py_TYPE(self)), status);
            } else {
                result = Py_BuildValue("(ddN)", loss, weight, result);
            }
        }
        array_view_release(&order);
    }
    examples_release(&taken);
    return result;
}

static PyObject *trainer_gradient(PyObject *self, PyObject *args, PyObject *keywords) {
    static char *names[] = {"X", "targets", "weights", "threads", NULL};
    trainer_object *trainer = trainer_checked(self);
    PyObject *X, *targets, *weights;
    int threads;
    examples taken;
    if (trainer == NULL
        || !PyArg_ParseTupleAndKeywords(args, keywords, "OOOi", names, &X, &targets, &weights, &threads)
        || examples_get(&taken, trainer, X, targets, weights) < 0)
        return NULL;
    int64_t arrays, scalars = 0;
    void *values;
    int32_t status = dm_model_parameter_count(trainer->model->handle, &arrays, &scalars);
    PyObject *result = status == DM_OK ? array_new(TYPE_FLOAT32, 1, &scalars, &values) : NULL;
    if (result != NULL)
        WITH_LOCK(trainer->model->lock, status,
                  dm_trainer_gradient(trainer->handle, &taken.sequences.sequences, &taken.targets, taken.weights.data,
                                      threads, values, scalars));
    examples_release(&taken);
    if (status != DM_OK) {
        Py_CLEAR(result);
        raise_status(state_of_type(Py_TYPE(self)), status);
    }
    return result;
}

static PyObject *trainer_get_state(PyObject *self, PyObject *unused) {
    (void)unused;
    trainer_object *trainer = trainer_checked(self);
    if (trainer == NULL) return NULL;
    int64_t count;
    void *values;
    int32_t status = dm_trainer_state_count(trainer->handle, &count);
    if (status != DM_OK) return raise_status(state_of_type(Py_TYPE(self)), status);
    PyObject *result = array_new(TYPE_FLOAT64, 1, &count, &values);
    if (result == NULL) return NULL;
    WITH_LOCK(trainer->model->lock, status, dm_trainer_get_state(trainer->handle, values, count));
    if (status == DM_OK) return result;
    Py_DECREF(result);
    return raise_status(state_of_type(Py_TYPE(self)), status);
}

static PyObject *trainer_set_state(PyObject *self, PyObject *values) {
    trainer_object *trainer = trainer_checked(self);
    array_view view;
    if (trainer == NULL || array_view_get(&view, values, "state", TYPE_FLOAT64, 1, 0) < 0) return NULL;
    int32_t status;
    WITH_LOCK(trainer->model->lock, status, dm_trainer_set_state(trainer->handle, view.data, view.shape[0]));
    array_view_release(&view);
    if (status != DM_OK) return raise_status(state_of_type(Py_TYPE(self)), status);
    Py_RETURN_NONE;
}

static PyMethodDef methods[] = {
    KEYWORD_METHOD("set_learning_rate", trainer_set_learning_rate, "Learning rate of the steps to come."),
    KEYWORD_METHOD("run", trainer_run, "Train on rows in batches; loss sum, weight sum, scores."),
    KEYWORD_METHOD("gradient", trainer_gradient, "Gradient of the mean loss, dropout off."),
    {"get_state", trainer_get_state, METH_NOARGS, "The optimizer's state."},
    {"set_state", trainer_set_state, METH_O, "Resume from a state."},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot slots[] = {
    {Py_tp_new, trainer_new},         {Py_tp_init, trainer_init}, {Py_tp_dealloc, trainer_dealloc},
    {Py_tp_methods, methods},         {Py_tp_doc, "Optimizer state of one model."},
    {0, NULL},
};

PyType_Spec trainer_type_spec = {
    .name = "deepmotif._native.Trainer",
    .basicsize = sizeof(trainer_object),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = slots,
};
