import { WhisperDockerProvider } from './WhisperDockerProvider';
export default WhisperDockerProvider;
export { WhisperDockerProvider };
