#define VARIANT baseline
#include "templates/names.h"
#include "lanes/baseline.h"
#include "templates/all.h"
