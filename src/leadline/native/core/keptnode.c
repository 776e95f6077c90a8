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

Outcome
write_node(KeptWalk *walk, Py_ssize_t found, Word kind, Part *parts, int count)
{
    PyObject *node = PyDict_New(), *reach = PyLong_FromSsize_t(found);
    int whole = node != NULL && reach != NULL &&
                PyDict_SetItem(node, words[WORD_k], words[kind]) == 0;
    for (int index = 0; index < count; index++) {
        PyObject *one = parts[index].one;
        whole = whole && one != NULL &&
                PyDict_SetItem(node, words[parts[index].name], one) == 0;
        Py_XDECREF(one);
    }
    whole = whole && PyList_Append(walk->reach, reach) == 0 &&
            PyList_Append(walk->nodes, node) == 0;
    Py_XDECREF(node);
    Py_XDECREF(reach);
    return whole ? WRITTEN : FAILED;
}

Outcome
write_items(KeptWalk *walk, Budget budget, PyObject *const *items, Py_ssize_t count, Word kind)
{
    Py_ssize_t found = PyList_GET_SIZE(walk->keeper.objects);
    for (Py_ssize_t index = 0; index < count; index++) {
        if (!kept_fits(&budget, items[index])) {
            return LEFT_TO_PYTHON;
        }
    }
    Part part = {WORD_i, kept_row(&walk->keeper, items, count)};
    return write_node(walk, found, kind, &part, 1);
}
