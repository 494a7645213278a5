/* module.c: the module deepmotif._native: its state, constants, functions and types. */
#include "common.h"

static struct PyModuleDef definition;

module_state *state_of_module(PyObject *module) { return (module_state *)PyModule_GetState(module); }

module_state *state_of_type(PyTypeObject *type) { return (module_state *)PyType_GetModuleState(type); }

static PyObject *isa_supported(PyObject *module, PyObject *unused) {
    (void)module, (void)unused;
    return PyLong_FromLong(dm_isa_supported());
}

static PyObject *isa_level(PyObject *module, PyObject *unused) {
    (void)module, (void)unused;
    return PyLong_FromLong(dm_isa_level());
}

static PyObject *set_isa_level(PyObject *module, PyObject *args, PyObject *keywords) {
    static char *names[] = {"level", NULL};
    int level;
    if (!PyArg_ParseTupleAndKeywords(args, keywords, "i", names, &level)) return NULL;
    int32_t status = dm_isa_set_level(level);
    if (status != DM_OK) return raise_status(state_of_module(module), status);
    Py_RETURN_NONE;
}

PyMethodDef engine_functions[] = {
    {"isa_supported", isa_supported, METH_NOARGS, "Highest instruction level of this processor."},
    {"isa_level", isa_level, METH_NOARGS, "Instruction level of models made from now on."},
    KEYWORD_METHOD("set_isa_level", set_isa_level, "Choose the instruction level of models made from now on."),
    {NULL, NULL, 0, NULL},
};

#define CONSTANT(name) {#name, DM_##name}
static const struct {
    const char *name;
    long value;
} constants[] = {
    CONSTANT(ISA_BASELINE), CONSTANT(ISA_AVX2), CONSTANT(ISA_AVX512),
    CONSTANT(LAYER_CONV1D), CONSTANT(LAYER_RELU), CONSTANT(LAYER_MAX_POOL1D), CONSTANT(LAYER_GLOBAL_MAX_POOL1D),
    CONSTANT(LAYER_AVERAGE_POOL1D), CONSTANT(LAYER_GLOBAL_AVERAGE_POOL1D), CONSTANT(LAYER_LSTM), CONSTANT(LAYER_DENSE),
    CONSTANT(LAYER_FLATTEN), CONSTANT(LAYER_DROPOUT), CONSTANT(LAYER_SIGMOID), CONSTANT(LAYER_TANH),
    CONSTANT(LAYER_GRU), CONSTANT(LAYER_LAYER_NORM), CONSTANT(LAYER_LEAKY_RELU), CONSTANT(LAYER_ELU),
    CONSTANT(LAYER_GELU), CONSTANT(LAYER_EXPONENTIAL), CONSTANT(LAYER_SOFTMAX),
    CONSTANT(LAYER_GLOBAL_MAX_AVERAGE_POOL1D), CONSTANT(LAYER_MAXOUT), CONSTANT(LAYER_RESIDUAL), CONSTANT(PADDING_CAUSAL),
    CONSTANT(PADDING_EXPLICIT), CONSTANT(ORDER_POSITIONS), CONSTANT(ORDER_CHANNELS),
    CONSTANT(LAYER_BATCH_NORM1D),
    CONSTANT(PADDING_VALID), CONSTANT(PADDING_SAME),
    CONSTANT(OUTPUT_SOFTMAX), CONSTANT(OUTPUT_SIGMOID), CONSTANT(OUTPUT_LINEAR),
    CONSTANT(LOSS_DEFAULT), CONSTANT(LOSS_MSE), CONSTANT(LOSS_POISSON), CONSTANT(LOSS_CORRELATION),
    CONSTANT(OPTIMIZER_ADAM), CONSTANT(OPTIMIZER_ADAMW), CONSTANT(OPTIMIZER_SGD), CONSTANT(OPTIMIZER_RMSPROP),
    CONSTANT(OPTIMIZER_ADADELTA),
    CONSTANT(STRANDS_NONE), CONSTANT(STRANDS_AVERAGE), CONSTANT(STRANDS_MAXIMUM), CONSTANT(STRANDS_SHARED),
    CONSTANT(TARGET_SCORE), CONSTANT(TARGET_LOG_PROBABILITY), CONSTANT(SALIENCY_SIGNED), CONSTANT(SALIENCY_CENTERED),
    CONSTANT(DIRECTION_FORWARD), CONSTANT(DIRECTION_BACKWARD),
    CONSTANT(ASCENT_CLIMBING), CONSTANT(ASCENT_CONVERGED), CONSTANT(ASCENT_OUT_OF_STEPS),
    CONSTANT(TOMTOM_PEARSON), CONSTANT(TOMTOM_EUCLIDEAN), CONSTANT(TOMTOM_KULLBACK), CONSTANT(TOMTOM_SANDELIN),
    CONSTANT(TOMTOM_ALLR), CONSTANT(TOMTOM_BLIC1), CONSTANT(TOMTOM_BLIC5),
};

static int add_type(PyObject *module, PyType_Spec *spec, PyTypeObject **kept) {
    *kept = (PyTypeObject *)PyType_FromModuleAndSpec(module, spec, NULL);
    return *kept == NULL ? -1 : PyModule_AddType(module, *kept);
}

static int execute(PyObject *module) {
    module_state *state = state_of_module(module);
    if (arrays_import() < 0 || errors_load(state) < 0) return -1;
    PyMethodDef *rooms[] = {engine_functions, sequence_functions, metric_functions,
                            view_functions,   motif_functions,    tomtom_functions};
    for (size_t i = 0; i < sizeof rooms / sizeof *rooms; i++)
        if (PyModule_AddFunctions(module, rooms[i]) < 0) return -1;
    for (size_t i = 0; i < sizeof constants / sizeof *constants; i++)
        if (PyModule_AddIntConstant(module, constants[i].name, constants[i].value) < 0) return -1;
    if (add_type(module, &model_type_spec, &state->model_type) < 0) return -1;
    if (add_type(module, &trainer_type_spec, &state->trainer_type) < 0) return -1;
    return add_type(module, &scanner_type_spec, &state->scanner_type);
}

static int traverse(PyObject *module, visitproc visit, void *arg) {
    module_state *state = state_of_module(module);
    for (int i = 1; i <= DM_ERROR_INTERNAL; i++) Py_VISIT(state->errors[i]);
    Py_VISIT(state->model_type);
    Py_VISIT(state->trainer_type);
    Py_VISIT(state->scanner_type);
    return 0;
}

static int clear(PyObject *module) {
    module_state *state = state_of_module(module);
    for (int i = 1; i <= DM_ERROR_INTERNAL; i++) Py_CLEAR(state->errors[i]);
    Py_CLEAR(state->model_type);
    Py_CLEAR(state->trainer_type);
    Py_CLEAR(state->scanner_type);
    return 0;
}

static PyModuleDef_Slot slots[] = {
    {Py_mod_exec, execute},
    {0, NULL},
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "deepmotif._native",
    .m_doc = "The engine of DeepMotif on NumPy arrays.",
    .m_size = sizeof(module_state),
    .m_slots = slots,
    .m_traverse = traverse,
    .m_clear = clear,
};

PyMODINIT_FUNC PyInit__native(void) { return PyModuleDef_Init(&definition); }
