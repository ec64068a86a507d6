/** Numbers that mostly tell of a training's state before the rate's last drop. */
import { valColumn } from '../runs/curves.js';
import { reportedStatistic } from '../runs/statistics.js';
import { shownCells } from './contrasts.js';
import type { Study, StudyRun } from './study.js';

/** With so many of the five evaluations before the drop their median may be one of those. */
const most = 3;

/**
 * The labels of cells with a median of five evaluations of which most are from before the last drop of the rate, in any
 * of their runs. The paper's median is of epochs that all are behind it.
 */
export function mostlyBeforeDrop(study: Study): string[] {
  const column = valColumn(study.metric.name);
  const isEarly = ({ value, rows }: StudyRun) => {
    if (value === undefined) return false;
    const judged = rows.filter((row) => row[column] !== undefined).slice(-5);
    const last = judged[judged.length - 1]?.learning_rate;
    return judged.filter(({ learning_rate }) => learning_rate > last).length >= most;
  };
  return shownCells(study)
    .filter(({ config: { model, learningRate } }) => {
      return learningRate.schedule === 'step' && reportedStatistic(model.name) === 'medianLast5';
    })
    .filter(({ runs }) => runs.some(isEarly))
    .map(({ label }) => label);
}
