/* team.c: threads that share the chunks of a loop. Every caller at work has a team to itself and leaves it to the next
 * one. Its threads look out for another loop for a while before they sleep: a small network's training starts thousands
 * of loops a second, and to wake a sleeping thread takes a tenth of such a loop's time. */
#include "deepmotif_support.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

/* Nanoseconds that a thread looks out before it sleeps: the steps between two loops of a training take less. */
static const int64_t patience = 100000;
/* Looks between two offers of the processor to somebody else, who may be the one that is waited for. */
enum { looks = 64, line = 64 };

typedef struct team {
    /* Number of the loop in the upper half, seats that are left in the lower one. The thread that takes seat s is worker
     * s; the caller is worker 0 and takes back what is left when no chunk is. */
    _Alignas(line) _Atomic uint64_t state;
    _Alignas(line) _Atomic int64_t next;
    _Alignas(line) _Atomic int64_t finished;
    _Alignas(line) _Atomic int32_t sleepers;
    _Atomic bool caller_sleeps;
    pthread_mutex_t lock;
    pthread_cond_t loop_began;
    pthread_cond_t thread_finished;
    /* Written between two loops only. */
    int64_t chunks;
    dmi_chunk_body *body;
    const void *context;
    int64_t threads;
    struct team *below;
} team;

static int64_t nanoseconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void pause_briefly(void) {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

static void work(team *team, int64_t worker) {
    int64_t chunk;
    while ((chunk = atomic_fetch_add(&team->next, 1)) < team->chunks) team->body(team->context, chunk, worker);
}

/* ---- the threads ---- */

/* Whether there is a seat in another loop than `last`. */
static bool has_seat(uint64_t state, uint32_t last) { return (uint32_t)state > 0 && (uint32_t)(state >> 32) != last; }

static uint64_t wait_for_seat(team *team, uint32_t last) {
    uint64_t state;
    int64_t end = nanoseconds() + patience;
    do {
        for (int look = 0; look < looks; look++) {
            if (has_seat(state = atomic_load(&team->state), last)) return state;
            pause_briefly();
        }
        sched_yield();
    } while (nanoseconds() < end);
    pthread_mutex_lock(&team->lock);
    atomic_fetch_add(&team->sleepers, 1);
    while (!has_seat(state = atomic_load(&team->state), last)) pthread_cond_wait(&team->loop_began, &team->lock);
    atomic_fetch_sub(&team->sleepers, 1);
    pthread_mutex_unlock(&team->lock);
    return state;
}

static void *help(void *argument) {
    team *team = argument;
    uint32_t last = 0;
    for (;;) {
        uint64_t state = wait_for_seat(team, last);
        if (!atomic_compare_exchange_strong(&team->state, &state, state - 1)) continue;
        last = (uint32_t)(state >> 32);
        work(team, (int64_t)(uint32_t)state);
        atomic_fetch_add(&team->finished, 1);
        if (atomic_load(&team->caller_sleeps)) {
            pthread_mutex_lock(&team->lock);
            pthread_cond_signal(&team->thread_finished);
            pthread_mutex_unlock(&team->lock);
        }
    }
    return NULL;
}

/* Signals are for the threads that the engine did not start. */
static bool start_thread(team *team) {
    sigset_t all, before;
    pthread_t thread;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    bool started = pthread_create(&thread, NULL, help, team) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (started) pthread_detach(thread);
    return started;
}

/* ---- the caller ---- */

static void wait_for_threads(team *team, int64_t joined) {
    int64_t end = nanoseconds() + patience;
    do {
        for (int look = 0; look < looks; look++) {
            if (atomic_load(&team->finished) == joined) return;
            pause_briefly();
        }
        sched_yield();
    } while (nanoseconds() < end);
    pthread_mutex_lock(&team->lock);
    atomic_store(&team->caller_sleeps, true);
    while (atomic_load(&team->finished) != joined) pthread_cond_wait(&team->thread_finished, &team->lock);
    atomic_store(&team->caller_sleeps, false);
    pthread_mutex_unlock(&team->lock);
}

static void run(team *team, int64_t chunks, int64_t seats, dmi_chunk_body *body, const void *context) {
    while (team->threads < seats && start_thread(team)) team->threads++;
    team->chunks = chunks;
    team->body = body;
    team->context = context;
    atomic_store(&team->next, 0);
    atomic_store(&team->finished, 0);
    uint64_t closed = ((atomic_load(&team->state) >> 32) + 1) << 32;
    atomic_store(&team->state, closed | (uint64_t)seats);
    if (atomic_load(&team->sleepers) > 0) {
        pthread_mutex_lock(&team->lock);
        pthread_cond_broadcast(&team->loop_began);
        pthread_mutex_unlock(&team->lock);
    }
    work(team, 0);
    uint32_t left = (uint32_t)atomic_exchange(&team->state, closed);
    wait_for_threads(team, seats - left);
}

/* ---- teams without a caller ---- */

static pthread_mutex_t idle_lock = PTHREAD_MUTEX_INITIALIZER;
static team *idle;
static pthread_once_t once = PTHREAD_ONCE_INIT;
/* Most threads of a loop. More than there are processors are in each other's way; without a look after children, a child
 * would wait for the threads of its parent. */
static int64_t most_workers;

static void before_fork(void) { pthread_mutex_lock(&idle_lock); }
static void after_fork(void) { pthread_mutex_unlock(&idle_lock); }
/* A child has no thread but the one that forked: it starts its own. */
static void in_child(void) {
    idle = NULL;
    pthread_mutex_unlock(&idle_lock);
}
static void set_up(void) {
    most_workers = pthread_atfork(before_fork, after_fork, in_child) == 0 ? sysconf(_SC_NPROCESSORS_ONLN) : 1;
}

static team *take_team(void) {
    pthread_mutex_lock(&idle_lock);
    team *taken = idle;
    if (taken != NULL) idle = taken->below;
    pthread_mutex_unlock(&idle_lock);
    if (taken != NULL) return taken;
    void *memory;
    if (posix_memalign(&memory, line, sizeof(team)) != 0) return NULL;
    taken = memory;
    *taken = (team){.threads = 0};
    pthread_mutex_init(&taken->lock, NULL);
    pthread_cond_init(&taken->loop_began, NULL);
    pthread_cond_init(&taken->thread_finished, NULL);
    return taken;
}

static void leave_team(team *team) {
    pthread_mutex_lock(&idle_lock);
    team->below = idle;
    idle = team;
    pthread_mutex_unlock(&idle_lock);
}

void dmi_run_chunks(int64_t chunks, int64_t workers, dmi_chunk_body *body, const void *context) {
    pthread_once(&once, set_up);
    if (workers > most_workers) workers = most_workers;
    team *team = workers > 1 ? take_team() : NULL;
    if (team == NULL) {
        for (int64_t chunk = 0; chunk < chunks; chunk++) body(context, chunk, 0);
        return;
    }
    run(team, chunks, workers - 1, body, context);
    leave_team(team);
}
