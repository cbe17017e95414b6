/** How people see a run: on the terminal. */
package org.glmtuner.report;
