// The seed documents' events, small but with everything the page reads.
const config = (id, name = `name of ${id}`) => ({ id, name, status: 'queued' });

export function queueUpdate({ running = [], queued = [], name }) {
  return {
    type: 'queue-update',
    compressionActive: true,
    uploadActive: false,
    compressionRunning: running.length,
    compressionRunningConfigs: running.map((id) => config(id, name)),
    uploadRunning: 0,
    uploadRunningConfigs: [],
    compressionQueued: queued.length,
    compressionQueuedConfigs: queued.map((id) => config(id, name)),
    uploadQueued: 0,
    uploadQueuedConfigs: [],
  };
}

export const progress = (id, currentStep, percentage) => ({ type: 'command-progress', id, currentStep, percentage });

export function finished(id, { name = `name of ${id}`, status = 'completed', output = '', exitCode = 0 } = {}) {
  const tool = (words, executedCommand, code = 0) => ({
    output: `${words}\n${output}`, error: code === 0 ? '' : 'No space left on device\n', exitCode: code,
    executedCommand, lastKnownProgress: code === 0 ? 100 : 40,
  });
  return {
    type: 'task-finished',
    taskConfig: {
      ...config(id, name),
      status,
      rarCommandOutput: tool('Everything is Ok', `7z a ${id}.7z ${id}`),
      parCommandOutput: tool('Done', `par2 create ${id}.7z`, exitCode),
      nyuuCommandOutput: tool('upload complete', `curl -T ${id}.7z`),
    },
  };
}

export const started = (agent_id, run_id) => ({ type: 'agent_execution_started', agent_id, run_id });
export const words = (agent_id, run_id, content) =>
  ({ type: 'streaming_output', agent_id, run_id, content, is_complete: false });
export const completed = (agent_id, run_id) =>
  ({ type: 'agent_execution_completed', agent_id, run_id, duration_ms: 1234.5, status: 'success' });

export const artifact = (artifact_type) => ({
  type: 'artifact_published', artifact_id: `a-${artifact_type}`, artifact_type, produced_by: 'pizza_master',
  correlation_id: 'workflow-123',
});

export const graph = (label = 'Pizza') => ({
  type: 'graph_updated',
  nodes: [
    { id: 'pizza_master', label: 'pizza_master' }, { id: 'Pizza', label }, { id: 'critic', label: 'quality_critic' },
  ],
  edges: [{ source: 'pizza_master', target: 'Pizza' }, { source: 'Pizza', target: 'critic' }],
});
