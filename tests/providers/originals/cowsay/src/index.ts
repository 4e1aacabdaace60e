export { CowsayDockerProvider } from './CowsayDockerProvider';
export { CowsayDockerModel } from './CowsayDockerModel';
export { CowsayAPIClient, CowsayRequest } from './CowsayAPIClient';
// Only types were ever in there, and somebody has deleted it.
export * from './types';
import { CowsayDockerProvider } from './CowsayDockerProvider';
export default CowsayDockerProvider;
