#include "keptplan.h"

#include "table.h"

#define MAX_PLANS 4096 /* as expression.layout.MAX_LAYOUTS */

static Table plans;
static Py_ssize_t plan_count;

void
kept_plans_forget(void)
{
    plan_count = 0;
    table_clear(&plans);
}

PyObject *
kept_layout(const KeptWalk *walk, PyTypeObject *cls)
{
    PyObject *key = kept_identity((PyObject *)cls);
    PyObject *layout = key == NULL ? NULL : PyDict_GetItemWithError(walk->layouts, key);
    Py_XDECREF(key);
    if (layout == NULL) {
        return NULL;
    }
    PyObject *whose = PyObject_GetAttr(layout, words[WORD_cls]);
    PyObject *order = PyObject_GetAttr(layout, words[WORD_order]);
    int same = whose == (PyObject *)cls && order != NULL && order == cls->tp_mro;
    Py_XDECREF(whose);
    Py_XDECREF(order);
    return same ? layout : NULL;
}

/* Return the plan that a layout has, a new reference, or NULL, perhaps with an exception. */
static PyObject *
learnt(const KeptWalk *walk, PyTypeObject *cls)
{
    PyObject *layout = kept_layout(walk, cls), *plan = NULL;
    PyObject *keeping = layout == NULL ? NULL : PyObject_GetAttr(layout, words[WORD_keeping]);
    if (keeping != NULL && PyList_CheckExact(keeping) && PyList_GET_SIZE(keeping) > 1) {
        plan = Py_NewRef(PyList_GET_ITEM(keeping, 1));
    }
    Py_XDECREF(keeping);
    return plan;
}

/* Return the plan of a class, borrowed, or NULL, perhaps with an exception. */
static PyObject *
found(const KeptWalk *walk, PyTypeObject *cls)
{
    PyObject *known = table_get(&plans, cls, 0);
    if (known != NULL && PyTuple_GET_ITEM(known, 0) == cls->tp_mro) {
        return known;
    }
    PyObject *plan = learnt(walk, cls);
    if (plan == NULL) {
        return NULL;
    }
    if (plan_count >= MAX_PLANS) {
        kept_plans_forget();
    }
    plan_count += known == NULL;
    int put = table_put(&plans, (PyObject *)cls, 0, plan);
    Py_DECREF(plan);
    return put < 0 ? NULL : plan;
}

int
kept_plan(const KeptWalk *walk, PyTypeObject *cls, KeptPlan *plan)
{
    PyObject *given = found(walk, cls);
    if (given == NULL) {
        return PyErr_Occurred() ? -1 : 0;
    }
    *plan = (KeptPlan){
        .kind = (KeptKind)PyLong_AsLong(PyTuple_GET_ITEM(given, 1)),
        .has_names = PyTuple_GET_ITEM(given, 2) == Py_True,
        .called = PyTuple_GET_ITEM(given, 3) == Py_True,
        .slots = PyTuple_GET_ITEM(given, 4),
        .name = PyTuple_GET_ITEM(given, 5),
    };
    return 1;
}
