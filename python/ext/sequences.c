/* sequences.c: permutations, shuffles and background sequences, module-level functions. */
#include "common.h"

/* Converts a Python integer in 0 ... 2^64 - 1; a negative or larger one raises OverflowError. */
static int seed_converter(PyObject *object, void *address) {
    unsigned long long value = PyLong_AsUnsignedLongLong(object);
    if (value == (unsigned long long)-1 && PyErr_Occurred()) return 0;
    *(uint64_t *)address = (uint64_t)value;
    return 1;
}

static PyObject *finished(PyObject *module, PyObject *result, int32_t status) {
    if (status == DM_OK) return result;
    Py_XDECREF(result);
    return raise_status(state_of_module(module), status);
}

/* Sizes that NumPy itself would refuse, reported as the engine reports its own. */
static int sizes_checked(long long first, long long second) {
    if (first >= 0 && second >= 0 && (second == 0 || first <= (1LL << 40) / second)) return 0;
    PyErr_SetString(PyExc_ValueError, "sizes must not be negative, and their product at most 2^40");
    return -1;
}

static PyObject *random_permutation(PyObject *module, PyObject *args, PyObject *keywords) {
    static char *names[] = {"seed", "stream", "count", NULL};
    uint64_t seed, stream;
    long long count;
    if (!PyArg_ParseTupleAndKeywords(args, keywords, "O&O&L", names, seed_converter, &seed, seed_converter, &stream,
                                     &count)
        || sizes_checked(count, 8) < 0)
        return NULL;
    void *permutation;
    int32_t status = DM_OK;
    int64_t shape[] = {count};
    PyObject *result = array_new(TYPE_INT64, 1, shape, &permutation);
    if (result != NULL) WITHOUT_GIL(status, dm_random_permutation(seed, stream, count, permutation));
    return finished(module, result, status);
}

static PyObject *dinucleotide_shuffle(PyObject *module, PyObject *args, PyObject *keywords) {
    static char *names[] = {"codes", "seed", "first_row", "threads", NULL};
    PyObject *code_object;
    uint64_t seed;
    long long first_row;
    int threads;
    array_view codes;
    if (!PyArg_ParseTupleAndKeywords(args, keywords, "OO&Li", names, &code_object, seed_converter, &seed, &first_row,
                                     &threads)
        || array_view_get(&codes, code_object, "codes", TYPE_UINT8, 2, 0) < 0)
        return NULL;
    void *shuffled;
    int32_t status = DM_OK;
    PyObject *result = array_new(TYPE_UINT8, 2, codes.shape, &shuffled);
    if (result != NULL)
        WITHOUT_GIL(status, dm_sequence_dinucleotide_shuffle(codes.data, codes.shape[0], codes.shape[1], seed,
                                                             first_row, threads, shuffled));
    array_view_release(&codes);
    return finished(module, result, status);
}

static PyObject *markov(PyObject *module, PyObject *args, PyObject *keywords) {
    static char *names[] = {"initial", "transitions", "count", "length", "seed", "threads", NULL};
    PyObject *initial_object, *transition_object;
    long long count, length;
    uint64_t seed;
    int threads;
    array_view initial, transitions;
    if (!PyArg_ParseTupleAndKeywords(args, keywords, "OOLLO&i", names, &initial_object, &transition_object, &count,
                                     &length, seed_converter, &seed, &threads)
        || sizes_checked(count, length) < 0
        || array_view_get(&initial, initial_object, "initial", TYPE_FLOAT64, 1, 0) < 0)
        return NULL;
    PyObject *result = NULL;
    int32_t status = DM_OK;
    if (array_view_get(&transitions, transition_object, "transitions", TYPE_FLOAT64, 2, 0) == 0) {
        if (initial.shape[0] == 4 && transitions.shape[0] == 4 && transitions.shape[1] == 4) {
            void *codes;
            int64_t shape[] = {count, length};
            result = array_new(TYPE_UINT8, 2, shape, &codes);
            if (result != NULL)
                WITHOUT_GIL(status, dm_sequence_markov(initial.data, transitions.data, count, length, seed, threads,
                                                       codes));
        } else {
            PyErr_SetString(PyExc_TypeError, "initial must be (4,) and transitions (4, 4)");
        }
        array_view_release(&transitions);
    }
    array_view_release(&initial);
    return finished(module, result, status);
}

PyMethodDef sequence_functions[] = {
    KEYWORD_METHOD("random_permutation", random_permutation, "A uniform random permutation of 0 ..< count."),
    KEYWORD_METHOD("dinucleotide_shuffle", dinucleotide_shuffle, "Rows of codes shuffled, dinucleotide counts kept."),
    KEYWORD_METHOD("markov", markov, "Codes from a first-order Markov chain."),
    {NULL, NULL, 0, NULL},
};
