#define Py_BUILD_CORE 1
#define PY_SSIZE_T_CLEAN

#pragma GCC diagnostic push
/* CPython's own headers are not free of these. */
#pragma GCC diagnostic ignored "-Wunused-parameter"
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
#pragma GCC diagnostic ignored "-Wsign-compare"
#include <Python.h>

#include "internal/pycore_dict.h"
#include "internal/pycore_frame.h"
#include "internal/pycore_object.h"
#pragma GCC diagnostic pop

#include "interior.h"

#if PY_VERSION_HEX < 0x030C0000 || PY_VERSION_HEX >= 0x030E0000
#error "the interior of this interpreter is not known; the pure core runs there"
#endif
#ifdef Py_GIL_DISABLED
#error "free-threaded builds are refused"
#endif

const int variable_sorts[3] = {CO_FAST_LOCAL, CO_FAST_CELL, CO_FAST_FREE};

Frame *
frame_innermost(void)
{
    return _PyThreadState_GetFrame(PyThreadState_Get());
}

Frame *
frame_outer(Frame *frame)
{
    return _PyFrame_GetFirstComplete(frame->previous);
}

PyCodeObject *
frame_code(Frame *frame)
{
#if PY_VERSION_HEX >= 0x030D0000
    return (PyCodeObject *)frame->f_executable;
#else
    return frame->f_code;
#endif
}

PyObject *
frame_globals(Frame *frame)
{
    return frame->f_globals;
}

int
frame_offset(Frame *frame)
{
    return _PyInterpreterFrame_LASTI(frame) * (int)sizeof(_Py_CODEUNIT);
}

/* Of code that does not fill its cells before its first line (a class's body), no variable is
   read here. In all other code the cells are there before any event of ours. */
PyObject *
frame_variable(Frame *frame, int index)
{
    PyObject *value = frame->localsplus[index];
    _PyLocals_Kind kind = _PyLocals_GetKind(frame_code(frame)->co_localspluskinds, index);
    if (value != NULL && kind & (CO_FAST_CELL | CO_FAST_FREE) && PyCell_Check(value)) {
        value = ((PyCellObject *)value)->ob_ref;
    }
    return value;
}

/* The value lies on top of the frame's stack, where `RESUME` finds it. Its argument says what it
   comes after (1: a yield, 2: one of something that is delegated to, 3: an await). */
PyObject *
frame_sent(Frame *frame)
{
    PyCodeObject *code = frame_code(frame);
    if (frame->owner != FRAME_OWNED_BY_GENERATOR || frame->stacktop <= code->co_nlocalsplus) {
        return NULL;
    }
    int after = _PyCode_CODE(code)[_PyInterpreterFrame_LASTI(frame)].op.arg & 3;
    if (after != 1 && (after != 2 || code->co_flags & CO_ASYNC_GENERATOR)) {
        return NULL;
    }
    return frame->localsplus[frame->stacktop - 1];
}

Frame *
frame_of_object(PyObject *frame)
{
    return ((PyFrameObject *)frame)->f_frame;
}

PyObject *
frame_generator(PyObject *frame)
{
    Frame *runs = frame_of_object(frame);
    if (runs->owner != FRAME_OWNED_BY_GENERATOR) {
        return NULL;
    }
    return PyWeakref_NewRef((PyObject *)_PyFrame_GetGenerator(runs), NULL);
}

int
generator_is_over(PyObject *reference)
{
#if PY_VERSION_HEX >= 0x030D0000
    PyObject *generator;
    if (PyWeakref_GetRef(reference, &generator) < 0) {
        PyErr_Clear();
    }
    int over = generator == NULL || ((PyGenObject *)generator)->gi_frame_state >= FRAME_COMPLETED;
    Py_XDECREF(generator); /* not the last one: nothing else has run meanwhile */
    return over;
#else
    PyObject *generator = PyWeakref_GET_OBJECT(reference);
    return generator == Py_None || ((PyGenObject *)generator)->gi_frame_state >= FRAME_COMPLETED;
#endif
}

static PyDictKeysObject *
shared_keys(PyObject *object)
{
    return ((PyHeapTypeObject *)Py_TYPE(object))->ht_cached_keys;
}

#if PY_VERSION_HEX >= 0x030D0000

static PyDictValues *
inline_values(PyObject *object)
{
    return _PyObject_InlineValues(object);
}

/* `dict` stays NULL while nobody has asked for the dictionary; then the values lie in the
   object itself, unless they did not fit. */
static int
managed_names(Names *names, PyObject *object)
{
    names->dict = (PyObject *)_PyObject_ManagedDictPointer(object)->dict;
    if (names->dict != NULL) {
        return 0;
    }
    return PyType_HasFeature(Py_TYPE(object), Py_TPFLAGS_INLINE_VALUES)
           && inline_values(object)->valid;
}

static int
inline_count(PyObject *object)
{
    return inline_values(object)->size;
}

static int
inline_index(PyObject *object, int nth)
{
    return get_insertion_order_array(inline_values(object))[nth];
}

#else

static PyDictValues *
inline_values(PyObject *object)
{
    return _PyDictOrValues_GetValues(*_PyObject_DictOrValuesPointer(object));
}

static int
managed_names(Names *names, PyObject *object)
{
    PyDictOrValues lies = *_PyObject_DictOrValuesPointer(object);
    if (_PyDictOrValues_IsValues(lies)) {
        return _PyDictOrValues_GetValues(lies) != NULL;
    }
    names->dict = _PyDictOrValues_GetDict(lies);
    return 0;
}

/* The bytes before the values are their order, backwards, and how many there are. */
static int
inline_count(PyObject *object)
{
    return ((uint8_t *)inline_values(object))[-2];
}

static int
inline_index(PyObject *object, int nth)
{
    return ((uint8_t *)inline_values(object))[-3 - nth];
}

#endif

void
names_begin(Names *names, PyObject *object)
{
    PyTypeObject *type = Py_TYPE(object);
    *names = (Names){.kind = NAMES_NONE, .object = object};
    if (PyType_HasFeature(type, Py_TPFLAGS_MANAGED_DICT)) {
        if (managed_names(names, object)) {
            names->kind = NAMES_INLINE;
            return;
        }
    }
    else if (type->tp_dictoffset > 0) {
        names->dict = *(PyObject **)((char *)object + type->tp_dictoffset);
    }
    else if (type->tp_dictoffset < 0) {
        names->kind = NAMES_ELSEWHERE;
        return;
    }
    if (names->dict != NULL) {
        int plain = PyDict_Check(names->dict);
        names->kind = plain ? NAMES_DICT : NAMES_ELSEWHERE;
        names->size = plain ? PyDict_GET_SIZE(names->dict) : 0;
    }
}

int
names_next(Names *names, PyObject **name, PyObject **value)
{
    if (names->kind == NAMES_DICT) {
        if (PyDict_GET_SIZE(names->dict) != names->size) {
            return -1;
        }
        return PyDict_Next(names->dict, &names->position, name, value);
    }
    if (names->kind != NAMES_INLINE) {
        return 0;
    }
    Names now = {.kind = NAMES_NONE};
    if (!managed_names(&now, names->object)) {
        return -1; /* somebody has asked for the dictionary meanwhile */
    }
    if (names->next >= inline_count(names->object)) {
        return 0;
    }
    int index = inline_index(names->object, names->next++);
    *name = DK_UNICODE_ENTRIES(shared_keys(names->object))[index].me_key;
    *value = inline_values(names->object)->values[index];
    return *name != NULL && *value != NULL ? 1 : -1;
}

Py_ssize_t
names_count(const Names *names)
{
    if (names->kind == NAMES_INLINE) {
        return inline_count(names->object);
    }
    return names->kind == NAMES_DICT ? names->size : 0;
}

#define SMALL_TABLE_LOG2 16 /* at most 1.2 MB, of which the places are 73,000 words of two */

int
dict_is_small(PyObject *dict)
{
    return DK_LOG_SIZE(((PyDictObject *)dict)->ma_keys) < SMALL_TABLE_LOG2;
}
