#include "keptnode.h"

#define AS_TEXT(word) #word,

static const char *const spelled[WORDS] = {EACH_WORD(AS_TEXT)};
PyObject *words[WORDS];

int
words_begin(void)
{
    for (int word = 0; word < WORDS; word++) {
        if (words[word] == NULL &&
            (words[word] = PyUnicode_InternFromString(spelled[word])) == NULL) {
            return -1;
        }
    }
    return 0;
}

Budget
budget_of(const KeptWalk *walk)
{
    return (Budget){
        .known = walk->known,
        .left = walk->keeper.left,
        .more = walk->most - PyList_GET_SIZE(walk->keeper.objects),
    };
}

void
put_text(KeptWalk *walk, PyObject *text)
{
    text_string(&walk->text, text, PyUnicode_GET_LENGTH(text));
}

/* Write a value that stands for itself. */
static void
put_plain(Text *text, PyObject *value)
{
    if (PyUnicode_CheckExact(value)) {
        text_string(text, value, PyUnicode_GET_LENGTH(value));
    }
    else if (value == Py_None) {
        TEXT_PUT(text, "null");
    }
    else if (value == Py_True) {
        TEXT_PUT(text, "true");
    }
    else if (value == Py_False) {
        TEXT_PUT(text, "false");
    }
    else if (PyFloat_CheckExact(value)) {
        text_real(text, PyFloat_AS_DOUBLE(value));
    }
    else {
        text_integer(text, PyLong_AsLongLong(value));
    }
}

int
put_ref(KeptWalk *walk, PyObject *value)
{
    long long bytes = kept_plain_bytes(value);
    if (bytes >= 0) {
        walk->keeper.left -= bytes;
        put_plain(&walk->text, value);
        return 0;
    }
    Py_ssize_t number = kept_number(&walk->keeper, value);
    TEXT_PUT(&walk->text, "[");
    text_integer(&walk->text, number);
    TEXT_PUT(&walk->text, "]");
    return number < 0 ? -1 : 0;
}

int
put_refs(KeptWalk *walk, PyObject *const *values, Py_ssize_t count)
{
    for (Py_ssize_t index = 0; index < count; index++) {
        if (index) {
            TEXT_PUT(&walk->text, ",");
        }
        if (put_ref(walk, values[index]) < 0) {
            return -1;
        }
    }
    return 0;
}

Outcome
node_end(KeptWalk *walk, Py_ssize_t found)
{
    TEXT_PUT(&walk->text, "}");
    if (walk->text.failed) {
        PyErr_NoMemory();
        return WITH_ERROR;
    }
    PyObject *node =
        PyBytes_FromStringAndSize(walk->text.bytes, (Py_ssize_t)walk->text.size);
    PyObject *reach = node == NULL ? NULL : PyLong_FromSsize_t(found);
    int whole = reach != NULL && PyList_Append(walk->reach, reach) == 0 &&
                PyList_Append(walk->nodes, node) == 0;
    Py_XDECREF(node);
    Py_XDECREF(reach);
    return whole ? WRITTEN : WITH_ERROR;
}

Outcome
write_items(KeptWalk *walk, Budget budget, PyObject *const *items, Py_ssize_t count,
            const char *opening)
{
    Py_ssize_t found = PyList_GET_SIZE(walk->keeper.objects);
    for (Py_ssize_t index = 0; index < count; index++) {
        if (!kept_fits(&budget, items[index])) {
            return LEFT_TO_PYTHON;
        }
    }
    walk->text.size = 0;
    text_put(&walk->text, opening, strlen(opening));
    if (put_refs(walk, items, count) < 0) {
        return WITH_ERROR;
    }
    TEXT_PUT(&walk->text, "]");
    return node_end(walk, found);
}
