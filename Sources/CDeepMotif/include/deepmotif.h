/* deepmotif.h: the whole C ABI of the engine, and its law: Swift implements exactly these declarations, the CPython
 * extension includes them, and no status, kind or limit is declared a second time.
 *
 * Conventions
 *   - Every function returns a status (DM_OK or one of DM_ERROR_...) unless it says otherwise; dm_error_message()
 *     describes the last failure of the calling thread. Success does not clear the message. Outputs are valid on
 *     success only.
 *   - N sequences, L positions, 4 letters A C G T, C classes or channels. Arrays are dense, C order, float32.
 *   - The engine borrows pointers for the duration of one call and allocates no result: callers pass the outputs.
 *   - Handles come from ..._create and end with ..._free (null allowed). One handle serves one call at a time.
 *   - `threads` is the number of threads, at least 1; results do not depend on it.
 *   - Letters are codes: 0 A, 1 C, 2 G, 3 T, 4 unknown (an all-zero column).
 */
#ifndef DEEPMOTIF_H
#define DEEPMOTIF_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Statuses --------------------------------------------------------------------------------------------- */

#define DM_OK 0
#define DM_ERROR_INVALID_ARGUMENT 1
#define DM_ERROR_SHAPE 2
#define DM_ERROR_NOT_FITTED 3
#define DM_ERROR_FILE 4
#define DM_ERROR_MEMORY 5
#define DM_ERROR_INTERNAL 6

/* Message of the last failure in this thread; UTF-8, never null, valid until the next failure in this thread. */
const char *dm_error_message(void);

/* ---- Engine ----------------------------------------------------------------------------------------------- */

#define DM_ISA_BASELINE 0
#define DM_ISA_AVX2 1
#define DM_ISA_AVX512 2

/* Highest instruction level that this processor and this build support (no status). */
int32_t dm_isa_supported(void);

/* Level in use by models made from now on (no status). At start: the supported one, or the one that the environment
 * variable DEEPMOTIF_ISA names ("baseline", "avx2", "avx512"; a level that is not supported is lowered). */
int32_t dm_isa_level(void);

/* Sets the level for models made from now on; a level above the supported one is an invalid argument. */
int32_t dm_isa_set_level(int32_t level);

/* ---- Sequences -------------------------------------------------------------------------------------------- */

/* N sequences of L positions: exactly one of the two pointers is not null. */
typedef struct dm_sequences {
    const uint8_t *codes;  /* (N, L) */
    const float *letters;  /* (N, L, 4) one-hot or soft */
    int64_t count;         /* N */
    int64_t length;        /* L */
} dm_sequences;

/* A uniform random permutation of 0 ..< count. */
int32_t dm_random_permutation(uint64_t seed, uint64_t stream, int64_t count, int64_t *permutation);

/* Each row shuffled so that its letter and dinucleotide counts are kept, which fixes its first and last letter; uniform
 * over all distinct such sequences (Euler walk over a uniform arborescence; Altschul and Erickson 1985, Propp and
 * Wilson 1998). Code 4 is a fifth letter. Row i draws from its own stream (seed, first_row + i). */
int32_t dm_sequence_dinucleotide_shuffle(
    const uint8_t *codes, int64_t count, int64_t length, uint64_t seed, int64_t first_row, int32_t threads,
    uint8_t *shuffled);

/* Background sequences from a first-order Markov chain: initial (4,), transitions (4, 4) by rows, each a distribution
 * (sum within 1e-6 of 1). Row i draws from its own stream (seed, i). */
int32_t dm_sequence_markov(
    const double *initial, const double *transitions, int64_t count, int64_t length, uint64_t seed, int32_t threads,
    uint8_t *codes);

/* ---- Networks --------------------------------------------------------------------------------------------- */

/* Kinds of layers, with the options that each reads. */
#define DM_LAYER_CONV1D 1              /* units, width, padding, stride, dilation, bias */
#define DM_LAYER_RELU 2
#define DM_LAYER_MAX_POOL1D 3          /* width, stride, padding, ceil */
#define DM_LAYER_GLOBAL_MAX_POOL1D 4
#define DM_LAYER_AVERAGE_POOL1D 5      /* width, stride, padding, ceil, count_padding */
#define DM_LAYER_GLOBAL_AVERAGE_POOL1D 6
#define DM_LAYER_LSTM 7                /* units, bidirectional, return_sequences, split_input */
#define DM_LAYER_DENSE 8               /* units, bias */
#define DM_LAYER_FLATTEN 9             /* order */
#define DM_LAYER_DROPOUT 10            /* rate */
#define DM_LAYER_SIGMOID 11
#define DM_LAYER_TANH 12
#define DM_LAYER_GRU 13                /* units, bidirectional, return_sequences, reset_after */
#define DM_LAYER_LAYER_NORM 14         /* epsilon */
#define DM_LAYER_LEAKY_RELU 15         /* slope */
#define DM_LAYER_ELU 16                /* slope: alpha */
#define DM_LAYER_GELU 17               /* approximate */
#define DM_LAYER_EXPONENTIAL 18
#define DM_LAYER_SOFTMAX 19            /* over the channels of each position */
#define DM_LAYER_GLOBAL_MAX_AVERAGE_POOL1D 20  /* 2C channels: maximum and mean of each channel, interleaved */
#define DM_LAYER_RESIDUAL 21           /* body_count, shortcut_count */
#define DM_LAYER_MAXOUT 23             /* width: blocks of channels, of which the maximum is taken */
#define DM_LAYER_BATCH_NORM1D 22       /* momentum, epsilon; training takes the statistics of the whole batch */

#define DM_PADDING_VALID 0
#define DM_PADDING_SAME 1              /* zeros; the odd one to the right. Conv1D pads as PyTorch, by its reach alone;
                                        * pools pad as TensorFlow, so that ceil(L / stride) positions come out */
#define DM_PADDING_CAUSAL 2            /* Conv1D only: all zeros to the left */
#define DM_PADDING_EXPLICIT 3          /* left_padding and right_padding; of pools each is below the width */

#define DM_ORDER_POSITIONS 0           /* all channels of position 0, then of position 1 ... */
#define DM_ORDER_CHANNELS 1            /* all positions of channel 0, then of channel 1 ...: channels-first frameworks */

typedef struct dm_layer_options {
    int32_t kind;
    int32_t padding;
    int64_t units;
    int64_t width;
    int64_t stride;
    int64_t dilation;
    int32_t bidirectional;
    int32_t return_sequences;
    int32_t split_input;   /* each direction reads its own half of the channels: two separate stacks */
    float rate;
    int64_t left_padding;
    int64_t right_padding;
    int32_t bias;
    int32_t ceil;          /* a last window that is not whole counts, unless it starts behind the input */
    int32_t count_padding; /* padding counts in means */
    int32_t order;
    int32_t reset_after;   /* 1: the reset gate is applied behind the recurrent product, as PyTorch; 0: before it */
    int32_t approximate;   /* GELU by tanh */
    float slope;
    float epsilon;
    float momentum;        /* of running statistics */
    int64_t body_count;    /* so many of the following entries (nested ones included) are the block's body ... */
    int64_t shortcut_count;  /* ... and so many behind them its shortcut; 0: the input itself */
} dm_layer_options;

/* Defaults of a kind: stride and dilation 1, valid padding, sequences returned, bias, padding counted, order by
 * positions, reset behind the product, slope 0.01 (ELU 1), epsilon 1e-5, momentum 0.1,
 * the rest 0. */
void dm_layer_options_init(dm_layer_options *options, int32_t kind);

typedef struct dm_model dm_model;

/* A model: the layers in order, from (L, 4) up to the scores, parameters initialised from the seed. `length` is the
 * length of training sequences; layers that fix a length (Flatten) take it from here. `layer_count` counts the entries,
 * those inside of residual blocks included; everywhere else a residual block is one layer. */
int32_t dm_model_create(
    const dm_layer_options *layers, int64_t layer_count, int64_t length, uint64_t seed, dm_model **model);
void dm_model_free(dm_model *model);

/* Name of a layer, kind and order ("conv1d_0"), zero-terminated, at most `capacity` bytes. */
int32_t dm_model_layer_name(const dm_model *model, int64_t layer, char *name, int64_t capacity);

/* Output shape of a layer for sequences of `length`: positions (1 behind a global pool or Flatten) and channels.
 * DM_ERROR_SHAPE with the reason where the length does not fit. layer = -1: the whole model. */
int32_t dm_model_layer_shape(
    const dm_model *model, int64_t layer, int64_t length, int64_t *out_length, int64_t *out_channels);

/* Shortest length that the layers allow. */
int32_t dm_model_minimum_length(const dm_model *model, int64_t *length);

/* Number of parameter arrays, and of the scalars in all of them. */
int32_t dm_model_parameter_count(const dm_model *model, int64_t *arrays, int64_t *scalars);

/* Name ("conv1d_0.weight") and shape (up to 3 dimensions) of array `index`, in PyTorch's layout. */
int32_t dm_model_parameter_info(
    const dm_model *model, int64_t index, char *name, int64_t capacity, int64_t *dimensions, int64_t *rank);

/* All parameters, concatenated in order, each in PyTorch's layout. `count` must be the number of scalars. */
int32_t dm_model_get_parameters(const dm_model *model, float *values, int64_t count);
int32_t dm_model_set_parameters(dm_model *model, const float *values, int64_t count);

/* What the end of the network means. */
#define DM_OUTPUT_SOFTMAX 0
#define DM_OUTPUT_SIGMOID 1
#define DM_OUTPUT_LINEAR 2

/* Scores (N, C) before the output function. */
int32_t dm_model_scores(dm_model *model, const dm_sequences *sequences, int32_t threads, float *scores);

/* Output function applied to scores (N, C); in place allowed. */
int32_t dm_output_apply(int32_t output, const float *scores, int64_t count, int64_t classes, float *values);

/* Output of one layer, (N, its length, its channels). */
int32_t dm_model_activations(
    dm_model *model, const dm_sequences *sequences, int64_t layer, int32_t threads, float *activations);

/* ---- Training --------------------------------------------------------------------------------------------- */

/* What the scores are compared with. */
#define DM_LOSS_DEFAULT 0        /* by the output: softmax negative log-likelihood, sigmoid cross-entropy, linear MSE */
#define DM_LOSS_MSE 1            /* linear output: mean squared error */
#define DM_LOSS_POISSON 2        /* linear output: exp(score) - target x score, targets >= 0 */
#define DM_LOSS_CORRELATION 3    /* linear output: 1 - Pearson's r of each task over the batch, mean over the tasks */

/* Update rules, exactly PyTorch's. */
#define DM_OPTIMIZER_ADAM 0      /* beta1, beta2, epsilon */
#define DM_OPTIMIZER_ADAMW 1     /* the same, weight decay apart from the gradient (Loshchilov and Hutter 2019) */
#define DM_OPTIMIZER_SGD 2       /* momentum */
#define DM_OPTIMIZER_RMSPROP 3   /* rho, epsilon, momentum */
#define DM_OPTIMIZER_ADADELTA 4  /* rho, epsilon */

/* What becomes of the other strand. */
#define DM_STRANDS_NONE 0
#define DM_STRANDS_AVERAGE 1     /* each sequence is run on both strands; the loss sees the mean of the scores */
#define DM_STRANDS_MAXIMUM 2     /* the larger score of each class */
#define DM_STRANDS_SHARED 3      /* weights tied so that the network treats both strands alike (Shrikumar et al. 2017) */

typedef struct dm_trainer_options {
    int32_t output;          /* DM_OUTPUT_... */
    int32_t loss;            /* DM_LOSS_... */
    int32_t optimizer;       /* DM_OPTIMIZER_... */
    int32_t strands;         /* DM_STRANDS_... */
    float learning_rate;
    float beta1, beta2, rho, epsilon, momentum;
    float weight_decay;      /* added to the gradient times every parameter; AdamW: the parameters shrink instead */
    float l2;                /* penalty l2 x (sum of the squared weights) on weight matrices, not on biases and norms;
                              * part of the gradient before the clamp, no part of the reported loss */
    float max_norm;          /* behind a step, longest vector of weights into one output unit; 0 = none */
    float gradient_clip;     /* element-wise clamp to +-this; 0 = none */
    uint64_t seed;           /* of dropout */
} dm_trainer_options;

/* Defaults of an optimizer: softmax, learning rate 0.01 (Adadelta 1), betas 0.9 and 0.999, rho 0.99 (Adadelta 0.9),
 * epsilon 1e-8 (Adadelta 1e-6), weight decay 0 (AdamW 0.01), clamp 5, the rest 0. */
void dm_trainer_options_init(dm_trainer_options *options, int32_t optimizer);

/* Optimizer state of one model; keeps the model alive. With shared strands the model's parameters are tied here: the
 * first of each pair gives its value to the second. A layer that cannot be tied is DM_ERROR_INVALID_ARGUMENT. */
typedef struct dm_trainer dm_trainer;
int32_t dm_trainer_create(dm_model *model, const dm_trainer_options *options, dm_trainer **trainer);
void dm_trainer_free(dm_trainer *trainer);
int32_t dm_trainer_set_learning_rate(dm_trainer *trainer, float learning_rate);

/* Targets by row of the sequences: exactly one pointer is not null. Softmax takes labels, sigmoid flags or values in
 * [0, 1], linear values. A row without any target adds nothing. */
typedef struct dm_targets {
    const int32_t *labels;  /* (N,) class indices */
    const uint8_t *flags;   /* (N, C) 0, 1 or 255 = missing */
    const float *values;    /* (N, C), NaN = missing */
    int64_t columns;        /* C of flags and values */
} dm_targets;

/* Trains on the given rows of the sequences, in that order, in batches of `batch_size` (the last may be smaller).
 * class_weights (C,) or null: for softmax a batch's loss is the mean weighted by the label's class, for sigmoid the
 * weight of the positive label, both as PyTorch's; linear outputs take none. A batch's loss is the weighted sum over
 * the sum of the weights: 1 a row for softmax, 1 a target for the others, 1 a task that varies for the correlation.
 * loss_sum and weight_sum are these sums over the batches; both are added to. scores (row_count, C) or null: the
 * scores that training saw (dropout on, strands combined), in the order of `rows`. Non-finite loss:
 * DM_ERROR_INVALID_ARGUMENT and the parameters stay as before the batch. */
int32_t dm_trainer_run(
    dm_trainer *trainer, const dm_sequences *sequences, const dm_targets *targets, const int64_t *rows,
    int64_t row_count, int64_t batch_size, const float *class_weights, int32_t threads, double *loss_sum,
    double *weight_sum, float *scores);

/* Gradient of the loss of all sequences as one batch, dropout off, concatenated as dm_model_get_parameters; without
 * l2, weight decay and clamp. Normalisations take their running statistics; tied weights have a gradient each. */
int32_t dm_trainer_gradient(
    dm_trainer *trainer, const dm_sequences *sequences, const dm_targets *targets, const float *class_weights,
    int32_t threads, float *gradient, int64_t count);

/* Optimizer state as floats (step number first), to resume from. */
int32_t dm_trainer_state_count(const dm_trainer *trainer, int64_t *count);
int32_t dm_trainer_get_state(const dm_trainer *trainer, double *state, int64_t count);
int32_t dm_trainer_set_state(dm_trainer *trainer, const double *state, int64_t count);

/* ---- Metrics ---------------------------------------------------------------------------------------------- */

/* labels: 0 or 1. Ties share their rank (Mann-Whitney). Both classes must occur. */
int32_t dm_metric_roc_auc(const float *scores, const int32_t *labels, int64_t count, double *value);
int32_t dm_metric_average_precision(const float *scores, const int32_t *labels, int64_t count, double *value);

/* Mean negative log of the probability (N, C) of the label, probabilities clipped at 2^-149 ... 1. */
int32_t dm_metric_log_loss(
    const float *probabilities, const int32_t *labels, int64_t count, int64_t classes, double *value);

/* Matthews correlation coefficient of two lists of class indices (Gorodkin's R_K for more than two classes). */
int32_t dm_metric_matthews(
    const int32_t *predicted, const int32_t *labels, int64_t count, int64_t classes, double *value);

/* ---- Views ------------------------------------------------------------------------------------------------ */

#define DM_TARGET_SCORE 0             /* pre-softmax / pre-sigmoid score */
#define DM_TARGET_LOG_PROBABILITY 1   /* log of the probability */

#define DM_SALIENCY_SIGNED 1          /* keep the sign */
#define DM_SALIENCY_CENTERED 2        /* subtract the mean over the letters (Majdandzic and Koo 2022) */

/* Gradient (N, L, 4) of class `target` with respect to every letter. flags: DM_SALIENCY_CENTERED or 0. */
int32_t dm_view_input_gradient(
    dm_model *model, const dm_sequences *sequences, int64_t target, int32_t quantity, int32_t output, int32_t flags,
    int32_t threads, float *gradient);

/* Gradient times input summed over the letters, (N, L); its magnitude unless DM_SALIENCY_SIGNED. */
int32_t dm_view_saliency(
    dm_model *model, const dm_sequences *sequences, int64_t target, int32_t quantity, int32_t output, int32_t flags,
    int32_t threads, float *saliency);

#define DM_DIRECTION_FORWARD 0        /* positions 0 ... i */
#define DM_DIRECTION_BACKWARD 1       /* positions i ... L-1 */

/* Probability (N, L) of class `target` on every cut. Layers before the first recurrent one run once on the whole sequence and
 * their output is cut; a model without LSTM or GRU is an invalid argument. */
int32_t dm_view_temporal_scores(
    dm_model *model, const dm_sequences *sequences, int64_t target, int32_t output, int32_t direction, int32_t threads,
    float *probabilities);

typedef struct dm_class_optimization_options {
    int64_t target;
    int32_t quantity;        /* DM_TARGET_... */
    int32_t output;          /* DM_OUTPUT_... */
    int32_t softmax;         /* 1: the input is the softmax of free variables, a distribution at every position */
    float l2;                /* lambda */
    float learning_rate;     /* RMSProp */
    float alpha, epsilon;    /* RMSProp's smoothing constant and the term that keeps the root from 0 */
} dm_class_optimization_options;

/* Defaults: class 1, log probability, softmax output, plain input, 0.009, 0.05, 0.99, 1e-8. */
void dm_class_optimization_options_init(dm_class_optimization_options *options);

/* `steps` steps of RMSProp ascent of the quantity minus l2 x ||X||^2. variables (R, L, 4): start in, last out;
 * squares (R, L, 4): the optimizer's state, zeros at first. fixed (L,) or null: 1 where the position is held.
 * objective (R, steps): before each update. */
int32_t dm_view_class_optimization(
    dm_model *model, const dm_class_optimization_options *options, int64_t restarts, int64_t length, int64_t steps,
    const uint8_t *fixed, int32_t threads, float *variables, float *squares, float *objective);

/* Uniform [0, 1) starts, one stream a restart. */
int32_t dm_random_uniform(uint64_t seed, int64_t streams, int64_t count, float *values);

/* The largest value of every channel of a layer's output and the first position that has it, both (N, K). */
int32_t dm_view_channel_peaks(
    dm_model *model, const dm_sequences *sequences, int64_t layer, int32_t threads, int32_t *positions, float *values);

/* Scores (N, K, C), before the output function, with channel k of a layer's output set to zero at every position. */
int32_t dm_view_ablated_scores(
    dm_model *model, const dm_sequences *sequences, int64_t layer, int32_t threads, float *scores);

/* The original's normalisation: clamp to [0, 1], divide by the maximum, add 0.01, normalise each position. */
int32_t dm_view_class_optimization_matrix(const float *inputs, int64_t restarts, int64_t length, float *matrices);

/* ---- Parts of networks ------------------------------------------------------------------------------------ */

/* Channels of what layer `first` reads, and the output shape of layers first ... last - 1 (last excluded) for inputs of
 * `length` positions. */
int32_t dm_model_part_shape(
    const dm_model *model, int64_t first, int64_t last, int64_t length, int64_t *in_channels, int64_t *out_length,
    int64_t *out_channels);

/* Outputs (rows, its length, its channels) of layers first ... last - 1 (last excluded) from inputs (rows, length,
 * channels), what layer `first` reads: letters (rows, L, 4) for first = 0. Inputs must be finite. */
int32_t dm_model_part_outputs(
    dm_model *model, int64_t first, int64_t last, const float *inputs, int64_t rows, int64_t length, int32_t threads,
    float *outputs);

/* Gradients (rows, length, channels) of the sum of output_gradient x output of the same layers, dropout off. */
int32_t dm_model_part_gradient(
    dm_model *model, int64_t first, int64_t last, const float *inputs, const float *output_gradient, int64_t rows,
    int64_t length, int32_t threads, float *gradient);

/* ---- Feature maps (DeepResolve) --------------------------------------------------------------------------- */

#define DM_ASCENT_CLIMBING 0
#define DM_ASCENT_CONVERGED 1         /* `patience` evaluations brought nothing better */
#define DM_ASCENT_OUT_OF_STEPS 2

typedef struct dm_feature_map_options {
    int64_t first_layer;     /* the layer that reads the feature map */
    int64_t decay_start;     /* last step with the full learning rate */
    int64_t patience;
    int64_t max_steps;
    float learning_rate;
    float decay_power;       /* behind decay_start: learning_rate x max((step - decay_start)^-decay_power, decay_floor) */
    float decay_floor;
} dm_feature_map_options;

/* Defaults: 500, 10, 10000, 0.005, 0.2, 1e-6; first_layer is 0. */
void dm_feature_map_options_init(dm_feature_map_options *options);

/* R ascents of any classes; all state lies in these arrays of the caller. */
typedef struct dm_feature_maps {
    int64_t count;           /* R */
    int64_t length;          /* W */
    const int64_t *targets;  /* (R,) class of each */
    const float *l2;         /* (R,) lambda of each */
    float *maps;             /* (R, W, K): start in, last out */
    float *best_maps;        /* (R, W, K) of the highest objective */
    double *objectives;      /* (R,) that objective; minus infinity at first */
    float *scores;           /* (R,) class score of the best map */
    float *highest_scores;   /* (R,) highest class score seen; minus infinity at first */
    int64_t *steps;          /* (R,) steps made; 0 at first */
    int64_t *waits;          /* (R,) evaluations since the best one; 0 at first */
    uint8_t *states;         /* (R,) DM_ASCENT_... */
} dm_feature_maps;

/* Up to `steps` steps of gradient ascent of the class score minus l2 x ||H||^2 of every ascent that has not stopped,
 * through layers first_layer ... alone. `climbing`: how many have not stopped then. */
int32_t dm_feature_maps_climb(
    dm_model *model, const dm_feature_map_options *options, const dm_feature_maps *maps, int64_t steps,
    int32_t threads, int64_t *climbing);

/* Standard normal starts, one stream a row. */
int32_t dm_random_normal(uint64_t seed, int64_t streams, int64_t count, float *values);

/* ---- Motifs ----------------------------------------------------------------------------------------------- */

/* A log-odds matrix is (K, 4) doubles, each finite or -infinity, 1 <= K <= 1000. The score of a window is the sum of
 * its letters' entries. */

/* Scores (N, L - K + 1) of every window of codes (N, L); a window with an unknown letter gets -infinity. K above L is
 * DM_ERROR_SHAPE. */
int32_t dm_motif_scores(
    const double *log_odds, int64_t width, const uint8_t *codes, int64_t count, int64_t length, int32_t threads,
    double *scores);

/* P-value P(S >= s) of each of `count` scores s, where S is the score of K independent letters of the background (4,),
 * positive and of sum 1. Scores that differ by rounding errors of their sums count as equal; the p-value of -infinity
 * is 1. Up to K = 12 this is the sum over all words. Wider motifs: exact where fewer than about 16,000 words are
 * left in the tail, else from the distribution of scores rounded to 2^-12 bit (coarser where the range exceeds 2^20
 * steps), where a p-value is off by what K/2 steps change it, 0.2 % at K = 20. */
int32_t dm_motif_p_values(
    const double *log_odds, int64_t width, const double *background, const double *scores, int64_t count,
    double *p_values);

/* Scanning: hits of many motifs in sequences that come in pieces. A scanner collects windows that may be hits, and
 * gives them p-values in the end. */
typedef struct dm_scanner dm_scanner;

/* `count` motifs: log2-odds (sum of the widths, 4) of the motifs and of their reverse complements (null: one strand
 * only), widths (count,). Hits have a p-value (see dm_motif_p_values) of at most `p_value` in (0, 1]. */
int32_t dm_scanner_create(
    const double *log_odds, const double *reverse_log_odds, const int64_t *widths, int64_t count,
    const double *background, double p_value, int32_t threads, dm_scanner **scanner);
void dm_scanner_free(dm_scanner *scanner);

/* Looks at the windows that start at positions 0 ... starts-1 of codes (N, L); windows with an unknown letter are no
 * hits. The piece begins at sequence first_sequence, position first_position of the whole; pieces come in order. */
int32_t dm_scanner_scan(
    dm_scanner *scanner, const uint8_t *codes, int64_t count, int64_t length, int64_t starts, int64_t first_sequence,
    int64_t first_position, int32_t threads);

/* P-values and q-values of the hits of motifs first ... first + count - 1, once all pieces are in: once a motif.
 * q-values: Benjamini and Hochberg over all windows of the motif. */
int32_t dm_scanner_finish(dm_scanner *scanner, int64_t first, int64_t count, int32_t threads);

/* Number of hits of all motifs, and the hits, (hit_count,) each, by motif, sequence, start and strand: `reversed` is 1
 * for a hit of the reverse complement. */
int32_t dm_scanner_hit_count(const dm_scanner *scanner, int64_t *hit_count);
int32_t dm_scanner_hits(
    const dm_scanner *scanner, int64_t hit_count, int64_t *motifs, int64_t *sequences, int64_t *starts,
    uint8_t *reversed, double *scores, double *p_values, double *q_values);

/* How Tomtom compares two columns. */
#define DM_TOMTOM_PEARSON 0
#define DM_TOMTOM_EUCLIDEAN 1
#define DM_TOMTOM_KULLBACK 2
#define DM_TOMTOM_SANDELIN 3
#define DM_TOMTOM_ALLR 4               /* average log-likelihood ratio (Wang and Stormo 2003) */
#define DM_TOMTOM_BLIC1 5              /* Bayesian likelihood (Habib et al. 2008), one Dirichlet prior */
#define DM_TOMTOM_BLIC5 6              /* the same with a mixture of five */

typedef struct dm_tomtom_options {
    int32_t distance;            /* DM_TOMTOM_... */
    int32_t complete_scores;     /* 1: unaligned query columns score their median (Tanaka et al. 2011) */
    int32_t reverse_complement;  /* 1: targets in both orientations */
    int64_t min_overlap;         /* narrower overlaps are not looked at, down to the width of the narrower motif */
    double pseudocount;          /* in total, spread by the background */
    double background[4];
} dm_tomtom_options;

/* Defaults: Pearson, complete scores, both orientations, 1, 0.1, uniform. */
void dm_tomtom_options_init(dm_tomtom_options *options);

/* Motifs one after the other: probabilities (sum of the widths, 4), widths (count,), numbers of sites (count,). */
typedef struct dm_motifs {
    const double *probabilities;
    const int64_t *widths;
    const double *sites;
    int64_t count;
} dm_motifs;

/* Compares Q queries with T targets as MEME Suite's Tomtom (Gupta et al. 2007). Outputs (Q, T): the p-value of the best
 * alignment of each pair, its q-value among the targets of the query (Benjamini and Hochberg), the target column that
 * the query's first column lies on (negative: before the target), the number of aligned columns, 1 where the target is
 * reverse complemented, and per query the indices of the targets, best first. */
int32_t dm_tomtom(
    const dm_tomtom_options *options, const dm_motifs *queries, const dm_motifs *targets, int32_t threads,
    double *p_values, double *q_values, int32_t *offsets, int32_t *overlaps, uint8_t *reversed, int64_t *order);

#ifdef __cplusplus
}
#endif
#endif
